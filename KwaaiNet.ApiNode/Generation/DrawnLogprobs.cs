using System.Collections.Immutable;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>The log probabilities that came with a token.</summary>
/// <param name="Drawn">The token's own.</param>
/// <param name="Top">The most likely tokens at its place, best first.</param>
internal sealed record DrawnLogprobs(float Drawn, ImmutableArray<TokenLogprob> Top)
{
    /// <summary>Reads them from the wire; null when they are not what was asked for, or cannot be.</summary>
    /// <param name="message">What the shard sent.</param>
    /// <param name="asked">Alternatives asked for.</param>
    /// <param name="vocabulary">Tokens of the model.</param>
    public static DrawnLogprobs? Read(Protocol.Wire.SampledLogprobs message, int asked, int vocabulary)
    {
        if (message.Top.Count > asked || message.Top.Any(token => token.Token >= (uint)vocabulary || !IsPossible(token.Logprob)))
        {
            return null;
        }

        return IsPossible(message.Drawn)
            ? new DrawnLogprobs(message.Drawn, [.. message.Top.Select(token => new TokenLogprob((int)token.Token, token.Logprob))])
            : null;
    }

    // False for NaN.
    private static bool IsPossible(float logprob) => logprob is <= 0 and >= TokenLogprobs.Floor;
}
