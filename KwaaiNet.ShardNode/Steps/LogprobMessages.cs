using TokenLogprob = KwaaiNet.CandelEngine.Sampling.TokenLogprob;
using TokenLogprobs = KwaaiNet.CandelEngine.Sampling.TokenLogprobs;

namespace KwaaiNet.ShardNode.Steps;

/// <summary>Writes a draw's log probabilities as they travel.</summary>
internal static class LogprobMessages
{
    /// <summary>Copies them: the engine's buffer is filled anew by the next draw.</summary>
    public static Protocol.Wire.TokenLogprobs Write(TokenLogprobs logprobs)
    {
        Protocol.Wire.TokenLogprobs message = new() { Drawn = logprobs.Drawn.Logprob };
        foreach (TokenLogprob token in logprobs.Top)
        {
            message.Top.Add(new Protocol.Wire.TokenLogprob { Token = (uint)token.Token, Logprob = token.Logprob });
        }

        return message;
    }
}
