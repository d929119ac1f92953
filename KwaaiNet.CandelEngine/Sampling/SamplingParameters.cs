using System.Collections.Immutable;

namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>How the next token is drawn from logits.</summary>
/// <remarks>
/// The order is fixed: logit bias, repetition penalty, presence and frequency penalty; temperature; top-k, typical, top-p, min-p; the draw.
/// Bias and penalties shape the logits that everything behind them sees, as in vLLM and llama.cpp. Temperature comes before the filters,
/// as in vLLM and Hugging Face transformers, whose clients speak the OpenAI API; llama.cpp has it last by default. The filters stand in
/// llama.cpp's order, and each sees the probabilities that the one before it left, normalised to 1.
/// At temperature 0 the best of the shaped logits is taken: a banned token stays banned, and no filter can take the best one away.
/// </remarks>
public sealed record SamplingParameters
{
    /// <summary>Most alternatives a logprobs request may ask for: OpenAI's limit.</summary>
    public const int MaxTopLogprobs = 20;

    /// <summary>Greedy decoding.</summary>
    public static SamplingParameters Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0 is greedy whatever else is set; otherwise logits are divided by it. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keep only this many most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keep the tokens whose surprise is nearest to the distribution's entropy until their probabilities reach this sum; above 0, and 1 keeps all.</summary>
    /// <remarks>Meister, Pimentel, Wiher, Cotterell: "Locally Typical Sampling", TACL 2023.</remarks>
    public float TypicalP { get; init; } = 1;

    /// <summary>Keep the most likely tokens whose probabilities reach this sum; 1 keeps all.</summary>
    /// <remarks>Holtzman, Buys, Du, Forbes, Choi: "The Curious Case of Neural Text Degeneration", ICLR 2020.</remarks>
    public float TopP { get; init; } = 1;

    /// <summary>Keep the tokens at least this many times as likely as the best one; 0 keeps all, 1 the best and its equals.</summary>
    /// <remarks>Nguyen et al.: "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs", ICLR 2025.</remarks>
    public float MinP { get; init; }

    /// <summary>
    /// A positive logit of a token that stands in the prompt or the answer is divided by this, any other is multiplied by it, however often the token
    /// stands there; 1 changes nothing, below 1 rewards repetition.
    /// </summary>
    /// <remarks>Keskar, McCann, Varshney, Xiong, Socher: "CTRL", 2019; as transformers, vLLM and llama.cpp do it.</remarks>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>How many of the last tokens, prompt and answer together, the repetition penalty looks at: −1 all (transformers, vLLM), 0 none (llama.cpp's repeat_last_n).</summary>
    public int RepeatLastN { get; init; } = -1;

    /// <summary>Taken from the logit of every token that stands in the answer, once; the prompt does not count (OpenAI, vLLM).</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Taken from a token's logit as often as the token stands in the answer; the prompt does not count (OpenAI, vLLM).</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of single tokens before anything else.</summary>
    public ImmutableArray<LogitBias> LogitBias { get; init; } = [];

    /// <summary>Seed of the random sequence. The draw at a position depends on seed and position alone, so that a replay draws the same token.</summary>
    public ulong Seed { get; init; }

    /// <summary>Null: no log probabilities; otherwise the drawn token's and those of this many most likely ones, 0 to <see cref="MaxTopLogprobs"/>.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Whether the repetition penalty does anything.</summary>
    public bool PenalisesRepetition => RepetitionPenalty != 1 && RepeatLastN != 0;

    /// <summary>Whether the presence or the frequency penalty does anything.</summary>
    public bool PenalisesOccurrence => PresencePenalty != 0 || FrequencyPenalty != 0;

    /// <summary>How many of the last tokens a draw must know for its penalties.</summary>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="generated">Tokens of the answer so far.</param>
    public int HistoryNeeded(int prompt, int generated)
    {
        int all = prompt + generated;
        int window = !PenalisesRepetition ? 0 : RepeatLastN < 0 ? all : Math.Min(RepeatLastN, all);
        return Math.Max(window, PenalisesOccurrence ? generated : 0);
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is outside of its range; named, with the range.</exception>
    public void Validate()
    {
        Require(float.IsFinite(Temperature) && Temperature >= 0, nameof(Temperature), Temperature, "a number from 0");
        Require(TopK >= 0, nameof(TopK), TopK, "0 (all) or more");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "a number above 0, to 1");
        Require(TopP is >= 0 and <= 1, nameof(TopP), TopP, "a number from 0 to 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "a number from 0 to 1");
        Require(float.IsFinite(RepetitionPenalty) && RepetitionPenalty > 0, nameof(RepetitionPenalty), RepetitionPenalty, "a number above 0");
        Require(RepeatLastN >= -1, nameof(RepeatLastN), RepeatLastN, "-1 (all), 0 (none) or more");
        Require(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        Require(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Require(TopLogprobs is null or (>= 0 and <= MaxTopLogprobs), nameof(TopLogprobs), TopLogprobs, "0 to 20");
        if (LogitBias.IsDefaultOrEmpty)
            return;
        foreach (LogitBias bias in LogitBias)
            Require(float.IsFinite(bias.Bias) && bias.Token >= 0, nameof(LogitBias), bias, "a token id with a finite number");
    }

    private static void Require<T>(bool holds, string name, T value, string range)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be {range}.");
    }
}
