namespace KwaaiNet.CandelEngine.Compute;

/// <summary>Which part of a model a stack holds.</summary>
public sealed record BlockStackOptions
{
    /// <summary>Default for <see cref="KvBudgetBytes"/>: 1 GiB.</summary>
    public const long DefaultKvBudgetBytes = 1L << 30;

    /// <summary>First block held, counted from 0.</summary>
    public required int FirstBlock { get; init; }

    /// <summary>One past the last block held.</summary>
    public required int EndBlock { get; init; }

    /// <summary>Whether the token embedding is held, so that steps may start from token ids. Only with <see cref="FirstBlock"/> 0.</summary>
    public bool Embedding { get; init; }

    /// <summary>Whether the final norm and output matrix are held, so that steps may ask for logits. Only when <see cref="EndBlock"/> is the model's block count.</summary>
    public bool OutputHead { get; init; }

    /// <summary>Upper bound on the bytes of all KV caches of this stack together.</summary>
    public long KvBudgetBytes { get; init; } = DefaultKvBudgetBytes;

    /// <summary>How keys and values of past positions are kept. Default <see cref="KvFormat.F32"/>, the most exact.</summary>
    public KvFormat KvFormat { get; init; }
}
