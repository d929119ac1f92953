namespace KwaaiNet.CandelEngine.Compute;

/// <summary>The KV budget has no room for what a session needs.</summary>
/// <param name="requestedBytes">Bytes the session needs.</param>
/// <param name="freeBytes">Bytes left in the budget.</param>
public sealed class KvExhaustedException(long requestedBytes, long freeBytes)
    : Exception($"The KV cache budget has {freeBytes:N0} bytes free and the session needs {requestedBytes:N0}.")
{
    /// <summary>Bytes the session needs.</summary>
    public long RequestedBytes { get; } = requestedBytes;

    /// <summary>Bytes left in the budget.</summary>
    public long FreeBytes { get; } = freeBytes;
}
