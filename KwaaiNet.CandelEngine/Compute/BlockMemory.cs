namespace KwaaiNet.CandelEngine.Compute;

/// <summary>What a range of blocks takes on a device, and what the device has for it.</summary>
/// <param name="NeededBytes">The weights, and what a backend must have beside them: scratch, and the KV budget where it lives on a device of its own.</param>
/// <param name="AvailableBytes">Memory the device has free for them now; all of its memory where it does not tell what is free.</param>
public readonly record struct BlockMemory(long NeededBytes, long AvailableBytes)
{
    /// <summary>Whether loading would be tried; where it is false, <see cref="IComputeBackend.Load"/> refuses.</summary>
    public bool Fits => NeededBytes <= AvailableBytes;
}
