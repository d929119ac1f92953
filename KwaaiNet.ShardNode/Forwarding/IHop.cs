using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>The Steps stream to one other node. Sending never waits.</summary>
internal interface IHop
{
    /// <summary>The did:key that answers there.</summary>
    string NodeId { get; }

    /// <summary>Whether sessions may go on: false while too much waits to be written, so that a slow neighbour holds its sessions back and not this process' memory up.</summary>
    bool HasRoom { get; }

    /// <summary>Whether the node says when a prompt's step has left its line; known once it has said so for the first time.</summary>
    bool Acknowledges { get; }

    /// <summary>Puts a result's frame in line; takes a hold on the result of its own.</summary>
    void Send(StepResult result);
}
