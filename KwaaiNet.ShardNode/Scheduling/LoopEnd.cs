namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Why a step loop has ended.</summary>
internal enum LoopEnd
{
    /// <summary>It was told to.</summary>
    Stopped,

    /// <summary>A fault of our own: the blocks can be loaded anew.</summary>
    Fault,

    /// <summary>The device failed. What this process has on it is lost, and perhaps all that it may ever have: a driver does not forget a fault.</summary>
    DeviceLost,
}
