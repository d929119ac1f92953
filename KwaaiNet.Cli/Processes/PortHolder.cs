using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace KwaaiNet.Cli.Processes;

/// <summary>The process that listens on a TCP port, as far as the system tells this user.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Name">Its name; null: the system does not say.</param>
internal sealed partial record PortHolder(int Pid, string? Name)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Who listens on a port; null when the system does not say, as for other users' processes.</summary>
    public static PortHolder? Find(int port)
    {
        try
        {
            int? pid = OperatingSystem.IsLinux() ? FindOnLinux(port)
                : OperatingSystem.IsWindows() ? FindOnWindows(port)
                : OperatingSystem.IsMacOS() ? FindOnMac(port)
                : null;
            return pid is > 0 and { } known ? new PortHolder(known, NameOf(known)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or Win32Exception or DllNotFoundException or EntryPointNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary><c>nginx (process 1234)</c>.</summary>
    public override string ToString() => Name is null ? $"process {Pid}" : $"{Name} (process {Pid})";

    private static string? NameOf(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            return process.ProcessName;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    // /proc/net/tcp, one socket a line:   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
    //                                      0: 0100007F:2CAB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000       0 34811 …
    // The port is hexadecimal, 0A is LISTEN, and the process is the one of whose /proc/PID/fd one is a link to socket:[inode].
    private static int? FindOnLinux(int port)
    {
        const string Listening = "0A";
        HashSet<string> sockets = [];
        foreach (string table in new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists))
        {
            foreach (string line in File.ReadLines(table).Skip(1))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == Listening && fields[1].EndsWith($":{port:X4}", StringComparison.Ordinal))
                {
                    sockets.Add($"socket:[{fields[9]}]");
                }
            }
        }

        return sockets.Count == 0 ? null : Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : (int?)null)
            .FirstOrDefault(pid => pid is { } known && Holds(known, sockets));
    }

    private static bool Holds(int pid, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{pid}/fd").Any(file => new FileInfo(file).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another user's, or it has just ended.
            return false;
        }
    }

    // lsof -F pc: a line "p1234" and a line "cname" for each process.
    private static int? FindOnMac(int port)
    {
        ProcessStartInfo start = new("lsof") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in new[] { "-nP", $"-iTCP:{port}", "-sTCP:LISTEN", "-Fp" })
        {
            start.ArgumentList.Add(argument);
        }

        using Process? lsof = Process.Start(start);
        if (lsof is null || !lsof.WaitForExit(s_patience))
        {
            lsof?.Kill();
            return null;
        }

        return lsof.StandardOutput.ReadLine() is ['p', .. string text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : null;
    }

    // MIB_TCPTABLE_OWNER_PID: a count (u32), then rows. IPv4: state, local address, local port, remote address, remote port, pid, 4 bytes each.
    // IPv6: local address (16), scope, local port, remote address (16), scope, remote port, state, pid. A port has its bytes in network order.
    // Source: Microsoft, GetExtendedTcpTable, tcpmib.h.
    private static int? FindOnWindows(int port)
    {
        const int InterNetwork = 2, InterNetworkV6 = 23;
        return Search(InterNetwork, rowLength: 24, portAt: 8, pidAt: 20) ?? Search(InterNetworkV6, rowLength: 56, portAt: 20, pidAt: 52);

        int? Search(int family, int rowLength, int portAt, int pidAt)
        {
            const int ListenersWithPid = 3, Done = 0, TooSmall = 122;
            byte[] table = [];
            int length = 0;
            int result = GetExtendedTcpTable(table, ref length, false, family, ListenersWithPid, 0);
            // It grows between two calls on a busy machine.
            for (int attempt = 0; attempt < 5 && result == TooSmall; attempt++)
            {
                table = new byte[length];
                result = GetExtendedTcpTable(table, ref length, false, family, ListenersWithPid, 0);
            }

            if (result != Done || table.Length < sizeof(uint))
            {
                return null;
            }

            int rows = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(table), (uint)((table.Length - sizeof(uint)) / rowLength));
            for (int row = 0; row < rows; row++)
            {
                ReadOnlySpan<byte> entry = table.AsSpan(sizeof(uint) + (row * rowLength), rowLength);
                if (BinaryPrimitives.ReadUInt16BigEndian(entry[portAt..]) == port)
                {
                    return BinaryPrimitives.ReadInt32LittleEndian(entry[pidAt..]);
                }
            }

            return null;
        }
    }

    [LibraryImport("iphlpapi")]
    private static partial int GetExtendedTcpTable([Out] byte[] table, ref int length, [MarshalAs(UnmanagedType.Bool)] bool sorted, int family, int tableClass, uint reserved);
}
