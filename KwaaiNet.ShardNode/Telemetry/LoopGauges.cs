namespace KwaaiNet.ShardNode.Telemetry;

/// <summary>The step loop's numbers, for readers on other threads: each is written by the loop alone and read whole.</summary>
internal sealed class LoopGauges
{
    private int _sessions;
    private int _waitingSteps;
    private long _kvUsedBytes;
    private long _kvFreeBytes;
    private long _kvCachedBytes;
    private long _rows;
    private double _prefillTokensPerSecond;
    private double _decodeTokensPerSecond;

    /// <summary>Open sessions.</summary>
    public int Sessions { get => Volatile.Read(ref _sessions); set => Volatile.Write(ref _sessions, value); }

    /// <summary>Steps taken in and not yet done.</summary>
    public int WaitingSteps { get => Volatile.Read(ref _waitingSteps); set => Volatile.Write(ref _waitingSteps, value); }

    /// <summary>Bytes of the KV budget held by sessions.</summary>
    public long KvUsedBytes { get => Volatile.Read(ref _kvUsedBytes); set => Volatile.Write(ref _kvUsedBytes, value); }

    /// <summary>Bytes of the KV budget that no session uses and whose pages can still be found: free to whoever needs them.</summary>
    public long KvCachedBytes { get => Volatile.Read(ref _kvCachedBytes); set => Volatile.Write(ref _kvCachedBytes, value); }

    /// <summary>Positions computed since these blocks were loaded.</summary>
    public long Rows { get => Volatile.Read(ref _rows); set => Volatile.Write(ref _rows, value); }

    /// <summary>Bytes of KV that a new session could have: what is free, less what running sessions are expected to need.</summary>
    public long KvFreeBytes { get => Volatile.Read(ref _kvFreeBytes); set => Volatile.Write(ref _kvFreeBytes, value); }

    /// <summary>Prompt positions a second through all blocks held; 0 until measured.</summary>
    public double PrefillTokensPerSecond
    {
        get => Volatile.Read(ref _prefillTokensPerSecond);
        set => Volatile.Write(ref _prefillTokensPerSecond, value);
    }

    /// <summary>Tokens a second one session sees in decode, through all blocks held; 0 until measured.</summary>
    public double DecodeTokensPerSecond
    {
        get => Volatile.Read(ref _decodeTokensPerSecond);
        set => Volatile.Write(ref _decodeTokensPerSecond, value);
    }
}
