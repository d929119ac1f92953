namespace KwaaiNet.Discovery.Map;

/// <summary>A range of blocks on a node.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="WeightsHash">SHA-256 of the model file.</param>
/// <param name="FirstBlock">The first block.</param>
/// <param name="EndBlock">One past the last block.</param>
/// <param name="BlockCount">Blocks of the whole model.</param>
/// <param name="State"><c>joining</c>, <c>ready</c>, <c>draining</c> or <c>unknown</c>.</param>
/// <param name="WeightFormat">How the weights are stored, as GGUF names it.</param>
/// <param name="Backend">What computes: <c>cpu</c>, <c>ilgpu</c>.</param>
/// <param name="Device">The device's own name.</param>
/// <param name="ContextLength">Longest context, in tokens.</param>
/// <param name="PrefillTokensPerSecond">Measured over these blocks; 0: not yet.</param>
/// <param name="DecodeTokensPerSecond">Measured over these blocks; 0: not yet.</param>
/// <param name="KvFreeBytes">Free KV cache.</param>
/// <param name="KvTotalBytes">The whole KV budget over these blocks, used or free; 0: not said.</param>
/// <param name="KvBytesPerBlockPosition">What one position of one block takes in the node's KV format; 0: not said.</param>
/// <param name="WeightBytes">Size of the weights of these blocks.</param>
/// <param name="Queue">Steps waiting.</param>
/// <param name="Sessions">Open sessions.</param>
public sealed record MapServing(
    string Model,
    string WeightsHash,
    uint FirstBlock,
    uint EndBlock,
    uint BlockCount,
    string State,
    string WeightFormat,
    string Backend,
    string Device,
    uint ContextLength,
    double PrefillTokensPerSecond,
    double DecodeTokensPerSecond,
    long KvFreeBytes,
    long KvTotalBytes,
    long KvBytesPerBlockPosition,
    long WeightBytes,
    uint Queue,
    uint Sessions);
