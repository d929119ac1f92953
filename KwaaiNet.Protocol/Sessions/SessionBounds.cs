namespace KwaaiNet.Protocol.Sessions;

/// <summary>What a session and its frames may hold: who asks keeps within these, who is asked refuses what is beyond them.</summary>
public static class SessionBounds
{
    /// <summary>Bytes of a session id.</summary>
    public const int SessionIdBytes = 16;

    /// <summary>Rows (positions) one step frame may carry.</summary>
    public const int MaxStepRows = 2048;

    /// <summary>Bytes of hidden states one step frame may carry: half of what a gRPC message may be. A larger one would break the stream that all sessions share.</summary>
    public const long MaxStepBytes = 32L << 20;

    /// <summary>Nodes one session may accept steps from: the API node, the previous shard, the ring, and room for a stand-in of each.</summary>
    public const int MaxStepSources = 8;

    /// <summary>End tokens one session may name.</summary>
    public const int MaxEndTokens = 256;

    /// <summary>Tokens one session may bias.</summary>
    public const int MaxLogitBiases = 1024;

    /// <summary>Rows one step of a model may carry: <see cref="MaxStepRows"/>, or fewer where so many hidden states are more than <see cref="MaxStepBytes"/>.</summary>
    /// <param name="width">Numbers in a hidden state; 0: not known.</param>
    /// <param name="bytesPerNumber">2 for binary16, 4 for binary32.</param>
    public static int RowsPerStep(int width, int bytesPerNumber)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerNumber);
        return width == 0 ? MaxStepRows : (int)Math.Clamp(MaxStepBytes / ((long)width * bytesPerNumber), 1, MaxStepRows);
    }
}
