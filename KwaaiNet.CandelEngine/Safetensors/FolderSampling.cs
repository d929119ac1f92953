using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Safetensors.Configuration;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.CandelEngine.Safetensors;

// generation_config.json  { "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.0, "typical_p": 1.0, "repetition_penalty": 1.05, … }

/// <summary>Reads the sampling that a model's folder recommends. Source: the transformers library's <c>GenerationConfig</c>.</summary>
internal static class FolderSampling
{
    /// <summary>Reads the values that are there; what lies outside its range says nothing, and is passed over.</summary>
    /// <exception cref="ModelFormatException">The file is no JSON, or a value is of the wrong kind.</exception>
    public static RecommendedSampling Read(string folder)
    {
        ConfigJson? file = ConfigJson.OpenIfThere(Path.Combine(folder, "generation_config.json"));
        if (file is null)
            return RecommendedSampling.None;
        // Without "do_sample" the library decodes greedily, yet models whose files leave it out are all drawn from: only a plain no counts.
        return new RecommendedSampling
        {
            Temperature = file.Flag("do_sample") == false ? 0 : Within(file, "temperature", 0, 1000),
            TopK = file.Integer("top_k") is >= 0 and <= int.MaxValue and long count ? (int)count : null,
            TopP = Within(file, "top_p", 0, 1),
            MinP = Within(file, "min_p", 0, 1),
            TypicalP = Within(file, "typical_p", 1e-3, 1),
            RepetitionPenalty = Within(file, "repetition_penalty", 1e-3, 1000),
        };
    }

    private static float? Within(ConfigJson file, string key, double least, double most) =>
        file.Number(key) is double value && value >= least && value <= most ? (float)value : null;
}
