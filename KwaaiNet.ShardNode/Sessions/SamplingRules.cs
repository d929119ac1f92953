using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>Whether the sampling that an OpenSession asks for is possible. Pure.</summary>
internal static class SamplingRules
{
    /// <summary>The first thing wrong, or null.</summary>
    public static Refusal? Check(OpenSession open, ModelShape shape)
    {
        if (open.Sampling is not { } sampling) return null;
        if (open.ProtocolVersion < ProtocolVersions.FullSampling && UsesMore(sampling))
        {
            return Bad($"Sampling has fields of protocol version {ProtocolVersions.FullSampling}, and the session is opened as version {open.ProtocolVersion}.");
        }

        if (sampling.TopK > int.MaxValue) return Bad($"top_k is {sampling.TopK}; it is at most {int.MaxValue}.");
        if (sampling.TopLogprobs > SamplingParameters.MaxTopLogprobs)
        {
            return Bad($"top_logprobs is {sampling.TopLogprobs}; it is at most {SamplingParameters.MaxTopLogprobs}.");
        }

        if (sampling.LogitBias.Count > SessionBounds.MaxLogitBiases) return Bad($"{sampling.LogitBias.Count} tokens are biased; at most {SessionBounds.MaxLogitBiases} may be.");
        foreach (TokenBias bias in sampling.LogitBias)
        {
            if (bias.Token >= (uint)shape.VocabularySize) return Bad($"Token {bias.Token} is biased; the vocabulary has {shape.VocabularySize}.");
        }

        SamplingParameters parameters = SamplingReader.Read(sampling);
        try
        {
            parameters.Validate();
        }
        catch (ArgumentOutOfRangeException wrong)
        {
            return Bad($"Sampling: {wrong.Message}");
        }

        return CheckHistory(sampling.History, parameters, open, shape);
    }

    private static Refusal? CheckHistory(PriorTokens? history, SamplingParameters parameters, OpenSession open, ModelShape shape)
    {
        bool isNeeded = parameters.PenalisesRepetition || parameters.PenalisesOccurrence;
        if (isNeeded != history is not null)
        {
            return Bad(isNeeded ? "Penalties need the tokens before the first draw." : "No penalty needs the tokens that were sent.");
        }

        if (history is null) return null;

        ReadOnlySpan<byte> bytes = history.Tokens.Span;
        int count = bytes.Length / sizeof(int);
        long end = (long)history.Position + count;
        if (bytes.Length % sizeof(int) != 0 || end > open.MaxPositions || history.Generated > (uint)count)
        {
            return Bad($"A history of {bytes.Length} bytes from position {history.Position}, {history.Generated} tokens of them generated, does not fit {open.MaxPositions} positions.");
        }

        int needed = parameters.HistoryNeeded((int)(end - history.Generated), (int)history.Generated);
        if (count < needed) return Bad($"The penalties need the last {needed} tokens; {count} were sent.");

        for (int i = 0; i < bytes.Length; i += sizeof(int))
        {
            uint token = BinaryPrimitives.ReadUInt32LittleEndian(bytes[i..]);
            if (token >= (uint)shape.VocabularySize) return Bad($"Token {token} of the history is outside the vocabulary of {shape.VocabularySize}.");
        }

        return null;
    }

    private static bool UsesMore(Sampling sampling) =>
        sampling.MinP != 0 || sampling.HasTypicalP || sampling.HasRepetitionPenalty || sampling.RepeatLastN != 0
        || sampling.PresencePenalty != 0 || sampling.FrequencyPenalty != 0 || sampling.LogitBias.Count > 0
        || sampling.HasTopLogprobs || sampling.History is not null;

    private static Refusal Bad(string message) => new(FailureCode.BadFrame, message);
}
