namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>The last tokens before a draw, as far as penalties need them. Nothing when no penalty does.</summary>
public readonly ref struct TokenHistory
{
    /// <summary>Makes a history.</summary>
    /// <param name="tokens">The last tokens, oldest first: an end of the prompt, then of the answer.</param>
    /// <param name="generated">How many of them, from the end, belong to the answer.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="generated"/> is negative or more than there are.</exception>
    public TokenHistory(ReadOnlySpan<int> tokens, int generated)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generated);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(generated, tokens.Length);
        Tokens = tokens;
        Generated = tokens[^generated..];
    }

    /// <summary>Prompt and answer, oldest first.</summary>
    public ReadOnlySpan<int> Tokens { get; }

    /// <summary>The answer's part of <see cref="Tokens"/>.</summary>
    public ReadOnlySpan<int> Generated { get; }
}
