using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Logs;

/// <summary>The logs of a network's nodes as one, in the order in which their lines were written.</summary>
/// <param name="home">Whose logs.</param>
/// <param name="only">A single node's, or null for all.</param>
internal sealed class MergedLog(KwaaiNetHome home, string? only)
{
    private readonly Dictionary<string, LogTail> _tails = [];

    /// <summary>What has come since the last call. Nodes that have started since are found.</summary>
    public IReadOnlyList<LogLine> ReadNew()
    {
        foreach (string node in only is null ? home.NodesWithLogs() : [only])
        {
            if (!_tails.ContainsKey(node))
            {
                _tails[node] = new LogTail(node, home.LogFile(node));
            }
        }

        // A stable sort: lines of one node that carry the same time stay in their order.
        return [.. _tails.Values.SelectMany(tail => tail.ReadNew()).OrderBy(Time, StringComparer.Ordinal)];
    }

    private static string Time(LogLine line) =>
        line.Text.Length > Processes.NodeLog.TimeLength ? line.Text[..Processes.NodeLog.TimeLength] : "";
}
