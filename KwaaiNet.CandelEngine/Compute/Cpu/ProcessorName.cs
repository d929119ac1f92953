using System.Runtime.InteropServices;
using System.Text;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>The processor's own name, where the system tells it.</summary>
internal static partial class ProcessorName
{
    internal static string Read()
    {
        string? name = OperatingSystem.IsLinux() ? ReadLinux()
            : OperatingSystem.IsMacOS() ? ReadMacOS()
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrWhiteSpace(name) ? RuntimeInformation.ProcessArchitecture.ToString() : name.Trim();
    }

    // A line "model name\t: Intel(R) ..."; ARM kernels have none.
    private static string? ReadLinux()
    {
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
            return line?[(line.IndexOf(':') + 1)..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? ReadMacOS()
    {
        Span<byte> buffer = stackalloc byte[256];
        nuint length = (nuint)buffer.Length;
        int failed = SysctlByName("machdep.cpu.brand_string", buffer, ref length, 0, 0);
        return failed != 0 ? null : Encoding.UTF8.GetString(buffer[..(int)length]).TrimEnd('\0');
    }

    [LibraryImport("libSystem", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SysctlByName(string name, Span<byte> old, ref nuint oldLength, nint value, nuint valueLength);
}
