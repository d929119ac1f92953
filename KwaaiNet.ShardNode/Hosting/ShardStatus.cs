namespace KwaaiNet.ShardNode.Hosting;

/// <summary>What <c>GET /status</c> answers.</summary>
/// <param name="NodeId">This node's did:key.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="State"><c>starting</c>, <c>joining</c>, <c>ready</c> or <c>draining</c>.</param>
/// <param name="Model">The announced model; null until its file is open.</param>
/// <param name="WeightsHash">SHA-256 of the file.</param>
/// <param name="Blocks">First and last block served, both included: <c>0-9</c>.</param>
/// <param name="BlockCount">Blocks of the whole model.</param>
/// <param name="Backend"><c>cpu</c> or <c>ilgpu</c>.</param>
/// <param name="Device">The device's own name.</param>
/// <param name="Sessions">Open sessions.</param>
/// <param name="Queue">Steps that wait.</param>
/// <param name="KvUsedBytes">KV cache held by sessions.</param>
/// <param name="KvFreeBytes">KV cache that a new session could have.</param>
/// <param name="KvCachedBytes">KV cache that no session uses, in which finished sessions' pages can still be found.</param>
/// <param name="RowsComputed">Positions computed since these blocks were loaded.</param>
/// <param name="KvTotalBytes">The whole KV budget over these blocks, used or free.</param>
/// <param name="KvBytesPerBlockPosition">What one position of one block takes in it.</param>
/// <param name="StartedUnixMs">When this host started, in Unix milliseconds.</param>
/// <param name="WeightBytes">Weights on the device.</param>
/// <param name="PrefillTokensPerSecond">Measured, through the blocks held here.</param>
/// <param name="DecodeTokensPerSecond">Measured, through the blocks held here.</param>
/// <param name="MemoryBytes">Resident memory of the process.</param>
/// <param name="Pulling">How far a download is, in words; null: none is under way.</param>
/// <param name="ProcessId">The node's own process, whatever program started it.</param>
internal sealed record ShardStatus(
    string NodeId,
    string Name,
    string State,
    string? Model,
    string? WeightsHash,
    string? Blocks,
    int? BlockCount,
    string? Backend,
    string? Device,
    int Sessions,
    int Queue,
    long KvUsedBytes,
    long KvFreeBytes,
    long KvCachedBytes,
    long RowsComputed,
    long KvTotalBytes,
    long KvBytesPerBlockPosition,
    long StartedUnixMs,
    long WeightBytes,
    double PrefillTokensPerSecond,
    double DecodeTokensPerSecond,
    long MemoryBytes,
    string? Pulling,
    int ProcessId);
