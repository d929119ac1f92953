using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Told how a network comes up and what happens to it. Called from any thread.</summary>
internal interface INetworkReport
{
    /// <summary>What is being waited for.</summary>
    void Waiting(string text);

    /// <summary>A node takes work, for the first time or again.</summary>
    void Ready(string node, NodeFile file);

    /// <summary>A node ended though nobody asked it to, or could not be started again.</summary>
    /// <param name="node">The process it was last.</param>
    /// <param name="exitCode">How it ended; null: it did not even start.</param>
    /// <param name="problem">What it reported last.</param>
    /// <param name="verdict">What becomes of it.</param>
    void Died(NodeProcess node, int? exitCode, string problem, RestartVerdict verdict);

    /// <summary>Something is wrong with the supervision itself; the nodes go on.</summary>
    void Trouble(string text);
}
