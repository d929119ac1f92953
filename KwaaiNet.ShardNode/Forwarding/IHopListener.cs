using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>Who is told what happens on hops. Called from any thread.</summary>
internal interface IHopListener
{
    /// <summary>The node cannot be reached any more; the hop is dead.</summary>
    void OnLost(IHop hop, string reason);

    /// <summary>The node did not run a frame.</summary>
    void OnRefused(IHop hop, StepRefused refused);

    /// <summary>A step that was to be acknowledged has left the node's line.</summary>
    void OnLeft(IHop hop, StepRefused answer);

    /// <summary>A hop that had no room has room again.</summary>
    void OnRoom();
}
