using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Told how a network comes up and what happens to it. Called from any thread.</summary>
internal interface INetworkReport
{
    /// <summary>What is being waited for.</summary>
    void Waiting(string text);

    /// <summary>A node takes work.</summary>
    void Ready(string node, NodeFile file);

    /// <summary>A node ended though nobody asked it to.</summary>
    void Died(NodeProcess node, int exitCode);
}
