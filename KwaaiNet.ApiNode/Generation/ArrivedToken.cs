using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>What a shard said of one token: unchecked.</summary>
/// <param name="Position">The position the token will take.</param>
/// <param name="Token">Its id.</param>
/// <param name="Last">Whether the ring stopped behind it.</param>
/// <param name="Logprobs">Log probabilities, if any were sent.</param>
internal readonly record struct ArrivedToken(uint Position, uint Token, bool Last, SampledLogprobs? Logprobs)
{
    /// <summary>A copy: the message may be read into again.</summary>
    public static ArrivedToken From(TokenSampled token) => new(token.Position, token.Token, token.Last, token.Logprobs);
}
