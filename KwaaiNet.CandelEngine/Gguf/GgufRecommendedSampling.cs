using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>Reads the sampling a GGUF file recommends.</summary>
/// <remarks>
/// Keys as llama.cpp's gguf-py names them (constants.py, "Recommended Sampler Parameters"); its converter fills them from a model's
/// generation_config.json, and llama-server starts from them as we do:
/// <code>
/// general.sampling.temp            float32   0 or below: greedy
/// general.sampling.top_k           int32     0 or below: all
/// general.sampling.top_p           float32   1 or above: all
/// general.sampling.min_p           float32   0 or below: all
/// general.sampling.penalty_repeat  float32   1: none
/// general.sampling.penalty_last_n  int32     0: none, -1: the whole context; 64 where the file is silent, as in llama.cpp
/// </code>
/// <c>sequence</c> (an order of stages), <c>xtc_*</c> and <c>mirostat*</c> are not followed: this engine has one order and not these stages.
/// </remarks>
internal static class GgufRecommendedSampling
{
    private const string Prefix = "general.sampling.";

    // What llama.cpp's repetition penalty looks back at unless it is told otherwise.
    private const int DefaultRepeatLastN = 64;

    /// <summary>Reads the keys that are there.</summary>
    /// <exception cref="Files.ModelFormatException">A value has a wrong type or is not finite; the key is named.</exception>
    public static RecommendedSampling Read(GgufMetadata metadata)
    {
        float? repeat = metadata.GetSingle(Prefix + "penalty_repeat");
        if (repeat <= 0)
            throw metadata.Problem($"the metadata value '{Prefix}penalty_repeat' is {repeat}; it should be above 0. The file was written wrongly: take another conversion of the model.");
        return new RecommendedSampling
        {
            Temperature = metadata.GetSingle(Prefix + "temp") is float temperature ? Math.Max(temperature, 0) : null,
            TopK = Whole(metadata, Prefix + "top_k") is int topK ? Math.Max(topK, 0) : null,
            TopP = metadata.GetSingle(Prefix + "top_p") is float topP ? Math.Clamp(topP, 0, 1) : null,
            MinP = metadata.GetSingle(Prefix + "min_p") is float minP ? Math.Clamp(minP, 0, 1) : null,
            RepetitionPenalty = repeat,
            RepeatLastN = Whole(metadata, Prefix + "penalty_last_n") is int last ? Math.Max(last, -1) : repeat is null ? null : DefaultRepeatLastN,
        };
    }

    private static int? Whole(GgufMetadata metadata, string key)
    {
        if (!metadata.TryGetValue(key, out GgufValue value))
            return null;
        return value.AsInteger() is >= int.MinValue and <= int.MaxValue and long number
            ? (int)number
            : throw metadata.Problem($"the metadata value '{key}' is {value.Type} ({value}); it should be one integer of 32 bits. The file was written wrongly: take another conversion of the model.");
    }
}
