using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>Turns the sampling of a session, as it travels, into the engine's. What is absent is neutral.</summary>
internal static class SamplingReader
{
    /// <summary>Reads parameters; <see cref="SamplingRules"/> has checked, or checks, what they hold.</summary>
    public static SamplingParameters Read(Sampling? sampling) => sampling is null
        ? SamplingParameters.Greedy
        : new SamplingParameters
        {
            Temperature = sampling.Temperature,
            TopK = (int)Math.Min(sampling.TopK, int.MaxValue),
            TopP = sampling.TopP,
            Seed = sampling.Seed,
            MinP = sampling.MinP,
            TypicalP = sampling.HasTypicalP ? sampling.TypicalP : 1,
            RepetitionPenalty = sampling.HasRepetitionPenalty ? sampling.RepetitionPenalty : 1,
            RepeatLastN = sampling.RepeatLastN,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
            LogitBias = [.. sampling.LogitBias.Select(bias => new LogitBias((int)Math.Min(bias.Token, int.MaxValue), bias.Bias))],
            TopLogprobs = sampling.HasTopLogprobs ? (int)Math.Min(sampling.TopLogprobs, int.MaxValue) : null,
        };

    /// <summary>Reads a checked history; null when the session has none.</summary>
    public static SessionHistory? ReadHistory(Sampling? sampling) => sampling?.History is not { } history
        ? null
        : new SessionHistory((int)history.Position, (int)history.Generated, Ids(history.Tokens.Span));

    private static int[] Ids(ReadOnlySpan<byte> bytes)
    {
        int[] ids = new int[bytes.Length / sizeof(int)];
        bytes.CopyTo(MemoryMarshal.AsBytes(ids.AsSpan()));
        if (!BitConverter.IsLittleEndian) System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(ids, ids);
        return ids;
    }
}
