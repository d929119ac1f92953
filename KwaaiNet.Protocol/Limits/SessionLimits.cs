namespace KwaaiNet.Protocol.Limits;

/// <summary>What one session may ask of a shard. Whoever opens sessions keeps to it, and shards refuse what goes beyond.</summary>
public static class SessionLimits
{
    /// <summary>Bytes of a session's id.</summary>
    public const int IdBytes = 16;

    /// <summary>Rows one step may carry.</summary>
    public const int MaxRowsPerStep = 2048;

    /// <summary>Bytes of hidden states one step may become: half of what a gRPC message may be. A larger one would break the stream that all sessions share.</summary>
    public const long MaxStepBytes = 32L << 20;

    /// <summary>Tokens one session may bias.</summary>
    public const int MaxLogitBiases = 1024;

    /// <summary>End tokens one session may name.</summary>
    public const int MaxEndTokens = 256;

    /// <summary>Nodes one session may accept steps from: the API node, the previous shard, the ring, and room for a stand-in of each.</summary>
    public const int MaxStepSources = 8;

    /// <summary>Rows one step of a model may carry: <see cref="MaxRowsPerStep"/>, or fewer where so many hidden states are more than <see cref="MaxStepBytes"/>.</summary>
    /// <param name="width">Numbers in a hidden state; 0: not known.</param>
    /// <param name="bytesPerNumber">2 for binary16, 4 for binary32.</param>
    public static int RowsPerStep(int width, int bytesPerNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerNumber);
        return width == 0 ? MaxRowsPerStep : (int)Math.Clamp(MaxStepBytes / ((long)width * bytesPerNumber), 1, MaxRowsPerStep);
    }
}
