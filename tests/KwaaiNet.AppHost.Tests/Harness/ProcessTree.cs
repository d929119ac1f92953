using System.Diagnostics;
using System.Globalization;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>Processes and what they started.</summary>
internal static class ProcessTree
{
    /// <summary>A process and, where the system tells, everything below it.</summary>
    public static IReadOnlyList<(int Id, DateTime Started)> Of(int root)
    {
        ILookup<int, int> children = Parents().ToLookup(entry => entry.Parent, entry => entry.Id);
        List<int> ids = [root];
        for (int i = 0; i < ids.Count; i++) ids.AddRange(children[ids[i]]);
        return [.. ids.Select(id => (Id: id, Started: Started(id))).Where(entry => entry.Started is not null).Select(entry => (entry.Id, entry.Started!.Value))];
    }

    /// <summary>Whether that process, and not another with its number, is still there.</summary>
    public static bool IsAlive((int Id, DateTime Started) process) => Started(process.Id) == process.Started;

    private static DateTime? Started(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return process.HasExited ? null : process.StartTime;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static List<(int Id, int Parent)> Parents()
    {
        List<(int, int)> found = [];
        if (!OperatingSystem.IsLinux()) return found;

        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id)) continue;

            try
            {
                // 123 (a name, with what it likes) S 122 …: the parent is the second field after the name.
                string stat = File.ReadAllText(Path.Combine(folder, "stat"));
                found.Add((id, int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture)));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // Ended while we looked.
            }
        }

        return found;
    }
}
