namespace KwaaiNet.CandelEngine.Models;

/// <summary>A mixture of experts in place of the feed-forward layer: a router picks a few of many gated layers for each position.</summary>
/// <remarks>
/// The router's logits become probabilities by softmax over all experts; the <see cref="Used"/> most probable are run (of equals the
/// one of the lowest number), and their outputs are added, weighted, in the order of their numbers.
/// Source: Shazeer et al., "Outrageously Large Neural Networks", arXiv:1701.06538; Mixtral, arXiv:2401.04088.
/// </remarks>
public sealed record ExpertShape
{
    /// <summary>Experts of a block.</summary>
    public required int Count { get; init; }

    /// <summary>Experts that run for one position; at most <see cref="Count"/>.</summary>
    public required int Used { get; init; }

    /// <summary>Width of one expert's gated layer.</summary>
    public required int FeedForwardWidth { get; init; }

    /// <summary>Whether the probabilities of the experts used are divided by their sum.</summary>
    public bool NormalizeWeights { get; init; } = true;
}
