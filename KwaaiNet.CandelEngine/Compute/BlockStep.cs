namespace KwaaiNet.CandelEngine.Compute;

/// <summary>One session's share of a batch: consecutive rows (positions) run through a range of blocks.</summary>
/// <remarks>Reusable: a session keeps one instance and changes it from step to step, so that nothing is allocated per token.</remarks>
public sealed class BlockStep
{
    /// <summary>The session's cache; the rows take positions <c>Cache.Length .. Cache.Length + Rows</c>.</summary>
    public required KvCache Cache { get; set; }

    /// <summary>Positions in this step: 1 in decode, a chunk in prefill.</summary>
    public required int Rows { get; set; }

    /// <summary>Token ids, <c>[Rows]</c>. Given instead of <see cref="Input"/> when the range starts at block 0; the stack must hold the embedding.</summary>
    public ReadOnlyMemory<int> Tokens { get; set; }

    /// <summary>Hidden states entering the cache's first block, <c>[Rows, Width] float32</c>, already rounded to <see cref="Boundary"/>. Empty when <see cref="Tokens"/> is given.</summary>
    public ReadOnlyMemory<float> Input { get; set; }

    /// <summary>Where the hidden states leaving the cache's last block go, <c>[Rows, Width] float32</c>, rounded to <see cref="Boundary"/>. Empty when they are not wanted.</summary>
    public Memory<float> Output { get; set; }

    /// <summary>Where logits go: <c>[Vocabulary]</c> for the last row alone or <c>[Rows, Vocabulary]</c> for all, by its length; empty for none. The stack must hold the output head and the cache must end at the last block.</summary>
    public Memory<float> Logits { get; set; }

    /// <summary>How hidden states are rounded after every block, so that it does not matter where a chain is cut.</summary>
    public HiddenFormat Boundary { get; set; } = HiddenFormat.F16;
}
