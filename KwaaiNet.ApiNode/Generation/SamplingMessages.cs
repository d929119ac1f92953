using System.Buffers.Binary;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Writes how a session draws, as its last shard is told.</summary>
internal static class SamplingMessages
{
    /// <summary>The protocol version that a last shard must speak to draw like this.</summary>
    public static uint VersionOf(SamplingParameters sampling) =>
        sampling is { MinP: 0, TypicalP: 1, TopLogprobs: null, PenalisesRepetition: false, PenalisesOccurrence: false } && sampling.LogitBias.IsDefaultOrEmpty
            ? ProtocolVersions.Base
            : ProtocolVersions.FullSampling;

    /// <summary>Writes the parameters. Neutral ones are left out, so that a session which needs none of them is one of version 1.</summary>
    /// <param name="sampling">The parameters.</param>
    /// <param name="tokens">The prompt and what has been generated.</param>
    /// <param name="generated">How many of the tokens, from the end, have been generated.</param>
    public static Sampling Write(SamplingParameters sampling, IReadOnlyList<int> tokens, int generated)
    {
        Sampling message = new()
        {
            Temperature = sampling.Temperature,
            TopK = (uint)sampling.TopK,
            TopP = sampling.TopP,
            Seed = sampling.Seed,
            MinP = sampling.MinP,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
        };
        if (sampling.TypicalP != 1)
        {
            message.TypicalP = sampling.TypicalP;
        }

        if (sampling.PenalisesRepetition)
        {
            message.RepetitionPenalty = sampling.RepetitionPenalty;
            message.RepeatLastN = sampling.RepeatLastN;
        }

        if (sampling.TopLogprobs is int top)
        {
            message.TopLogprobs = (uint)top;
        }

        if (!sampling.LogitBias.IsDefaultOrEmpty)
        {
            message.LogitBias.Add(sampling.LogitBias.Select((LogitBias bias) => new TokenBias { Token = (uint)bias.Token, Bias = bias.Bias }));
        }

        if (sampling.PenalisesRepetition || sampling.PenalisesOccurrence)
        {
            message.History = History(tokens, generated, sampling.HistoryNeeded(tokens.Count - generated, generated));
        }

        return message;
    }

    // No more than the penalties need: what the prompt says is no business of the last shard otherwise.
    private static PriorTokens History(IReadOnlyList<int> tokens, int generated, int needed)
    {
        byte[] bytes = new byte[needed * sizeof(int)];
        int first = tokens.Count - needed;
        for (int i = 0; i < needed; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), tokens[first + i]);
        }

        return new PriorTokens
        {
            Position = (uint)first,
            Generated = (uint)Math.Min(generated, needed),
            Tokens = UnsafeByteOperations.UnsafeWrap(bytes),
        };
    }
}
