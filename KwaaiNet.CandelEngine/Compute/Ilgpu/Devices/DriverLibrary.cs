using System.Runtime.InteropServices;
using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

/// <summary>The system libraries that ILGPU reaches devices through.</summary>
/// <remarks>
/// ILGPU asks for <c>libcuda.so</c> and <c>libOpenCL.so</c>. Many installations have only the names with a version: packages keep the
/// plain ones for developers, and a container may be given the driver without them. Those are found here all the same.
/// </remarks>
internal static class DriverLibrary
{
    private const string WslFolder = "/usr/lib/wsl/lib";

    // As ILGPU's imports name them, in lower case, and where they are looked for when the plain name finds nothing.
    private static readonly Dictionary<string, string[]> s_otherNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["cuda"] = ["libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1"],
        ["opencl"] = ["libOpenCL.so.1", "/usr/local/nvidia/lib64/libOpenCL.so.1"],
    };

    private static readonly Lock s_lock = new();
    private static bool s_prepared;

    /// <summary>Whether the CUDA driver's library can be loaded.</summary>
    internal static bool HasCuda => Loads(OperatingSystem.IsWindows() ? ["nvcuda"] : ["libcuda.so", .. s_otherNames["cuda"], WslFolder + "/libcuda.so"]);

    /// <summary>Whether OpenCL's loader can be loaded.</summary>
    internal static bool HasOpenCl => Loads(
        OperatingSystem.IsWindows() ? ["OpenCL"]
        : OperatingSystem.IsMacOS() ? ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
        : ["libOpenCL.so", .. s_otherNames["opencl"]]);

    /// <summary>Makes ILGPU find libraries that have only a name with a version. Call before anything of ILGPU touches a driver.</summary>
    internal static void Prepare()
    {
        lock (s_lock)
        {
            if (s_prepared) return;

            s_prepared = true;

            // Under WSL ILGPU installs a resolver of its own, and an assembly can have one.
            if (!OperatingSystem.IsLinux() || Directory.Exists(WslFolder)) return;

            try
            {
                NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (name, assembly, path) =>
                    !NativeLibrary.TryLoad(name, assembly, path, out _) && s_otherNames.TryGetValue(name, out string[]? others)
                        ? others.Select(TryLoad).FirstOrDefault(handle => handle != 0)
                        : 0);
            }
            catch (InvalidOperationException)
            {
                // Somebody else's resolver is there already: what it finds is what there is.
            }
        }
    }

    private static bool Loads(IEnumerable<string> names) => names.Any(name => TryLoad(name) != 0);

    // Never freed: a driver is not made to be unloaded.
    private static nint TryLoad(string name) => NativeLibrary.TryLoad(name, out nint handle) ? handle : 0;
}
