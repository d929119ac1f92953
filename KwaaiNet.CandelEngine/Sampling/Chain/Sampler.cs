using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Sampling.Stages;

namespace KwaaiNet.CandelEngine.Sampling.Chain;

/// <summary>The sampler chain: shapes the logits, takes candidates at a temperature, filters them, draws one.</summary>
/// <remarks>
/// The same logits, parameters, history and position give the same token on every machine: sums run in one order, the exponential and the
/// logarithm are our own, and the random number depends on seed and position alone. Nothing is allocated once the largest vocabulary was seen.
/// <see cref="SamplingParameters"/> says what the order of the stages is and why. A new stage is a file in Stages and a line here.
/// </remarks>
public sealed class Sampler : ISampler
{
    private readonly ILogitStage[] _logitStages = [new LogitBiases(), new RepetitionPenalty(), new OccurrencePenalties()];
    private readonly ICandidateStage[] _candidateStages = [new Typical(), new TopP(), new MinP()];
    private readonly Candidates _candidates = new();
    private float[] _raw = [];

    /// <inheritdoc/>
    public int Sample(Span<float> logits, SamplingParameters parameters, int position, TokenHistory history = default, TokenLogprobs? logprobs = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate();
        CheckHistory(history, logits.Length);
        if (logprobs is null || parameters.TopLogprobs is not int top)
            return Draw(logits, parameters, position, history);

        // Bias and penalties write over the logits; the model's own are what is reported.
        if (_raw.Length < logits.Length)
            _raw = new float[logits.Length];
        Span<float> raw = _raw.AsSpan(0, logits.Length);
        logits.CopyTo(raw);
        int token = Draw(logits, parameters, position, history);
        logprobs.Fill(raw, token, top);
        return token;
    }

    private static int IndexOfBest(ReadOnlySpan<float> logits)
    {
        int best = -1;
        float highest = float.NegativeInfinity;
        for (int id = 0; id < logits.Length; id++)
        {
            // False for NaN.
            if (logits[id] > highest)
            {
                highest = logits[id];
                best = id;
            }
        }

        return best >= 0 ? best : throw new ArgumentException($"None of the {logits.Length} logits is a number above minus infinity.", nameof(logits));
    }

    // A history is as long as the conversation, and comes again with every token: many of its tokens are compared at a time.
    private static void CheckHistory(TokenHistory history, int vocabulary)
    {
        ReadOnlySpan<uint> tokens = MemoryMarshal.Cast<int, uint>(history.Tokens);
        if (tokens.IsEmpty || TensorPrimitives.Max(tokens) < (uint)vocabulary)
            return;
        foreach (int token in history.Tokens)
        {
            if ((uint)token >= (uint)vocabulary)
                throw new ArgumentException($"Token {token} of the history is outside of the vocabulary of {vocabulary}.", nameof(history));
        }
    }

    private int Draw(Span<float> logits, SamplingParameters parameters, int position, TokenHistory history)
    {
        foreach (ILogitStage stage in _logitStages)
            stage.Apply(logits, parameters, history);
        int best = IndexOfBest(logits);
        if (parameters.Temperature == 0 || parameters.TopK == 1)
            return best;

        _candidates.Take(logits, logits[best], parameters.TopK, parameters.Temperature);
        foreach (ICandidateStage stage in _candidateStages)
            stage.Apply(_candidates, parameters);
        return _candidates.Draw(parameters.Seed, position);
    }
}
