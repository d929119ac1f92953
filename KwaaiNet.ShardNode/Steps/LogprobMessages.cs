using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Steps;

/// <summary>Writes a draw's log probabilities as they travel.</summary>
internal static class LogprobMessages
{
    /// <summary>Copies them: the engine's buffer is filled anew by the next draw.</summary>
    public static SampledLogprobs Write(TokenLogprobs logprobs)
    {
        SampledLogprobs message = new() { Drawn = logprobs.Drawn.Logprob };
        foreach (TokenLogprob token in logprobs.Top)
        {
            message.Top.Add(new SampledLogprob { Token = (uint)token.Token, Logprob = token.Logprob });
        }

        return message;
    }
}
