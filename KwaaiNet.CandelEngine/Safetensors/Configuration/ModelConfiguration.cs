using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Architectures;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>A model's <c>config.json</c>: its shape, and the kind whose names its tensors have.</summary>
/// <remarks>
/// Values are written under the keys that GGUF has for them, so that every architecture reads its constants, and checks them, in one place
/// whatever the file. Two things are this format's: RoPE turns halves of heads (GGUF's converter reorders the rows of some architectures,
/// here they lie as they were trained), and what is said block by block.
/// </remarks>
internal sealed class ModelConfiguration
{
    private static readonly (string From, string To, bool Required)[] s_common =
    [
        ("num_hidden_layers", "block_count", true),
        ("hidden_size", "embedding_length", true),
        ("intermediate_size", "feed_forward_length", true),
        ("num_attention_heads", "attention.head_count", true),
        ("num_key_value_heads", "attention.head_count_kv", false),
        ("head_dim", "attention.key_length", false),
        ("head_dim", "attention.value_length", false),
        ("max_position_embeddings", "context_length", true),
        ("rms_norm_eps", "attention.layer_norm_rms_epsilon", true),
        ("vocab_size", "vocab_size", false),
    ];

    private ModelConfiguration(HuggingFaceArchitecture kind, ModelShape shape, RopeParameters rope) => (Kind, Shape, RopeTensors) = (kind, shape, rope.Tensors);

    /// <summary>The kind of model.</summary>
    public HuggingFaceArchitecture Kind { get; }

    /// <summary>Dimensions and constants.</summary>
    public ModelShape Shape { get; }

    /// <summary>Divisors of RoPE's frequencies that the configuration gives, by GGUF's tensor names.</summary>
    public IReadOnlyDictionary<string, float[]> RopeTensors { get; }

    /// <summary>Whether the embedding is the output matrix too; null when the configuration does not say.</summary>
    public static bool? IsTied(ConfigJson root, HuggingFaceArchitecture kind) =>
        root.Flag("tie_word_embeddings") ?? (kind.Part is { } part ? root.Part(part.Config)?.Flag("tie_word_embeddings") : null);

    /// <exception cref="ModelFormatException">The weights are quantised in one of the ways that are no type of a tensor.</exception>
    public static void RefuseQuantized(ConfigJson root)
    {
        if (root.Part("quantization_config") is { } quantized)
            throw root.Problem($"the weights are quantised by '{quantized.Text("quant_method") ?? "an unknown method"}', which this engine does not run. Take the model in BF16, F16 or F32, or a GGUF conversion, whose quantised types it runs");
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="root">The file.</param>
    /// <param name="kind">The kind it names.</param>
    /// <param name="embeddingRows">Rows of the token embedding; null when there is none.</param>
    /// <exception cref="ModelFormatException">A value is missing or cannot be, or the model uses what is not run.</exception>
    public static ModelConfiguration Read(ConfigJson root, HuggingFaceArchitecture kind, int? embeddingRows)
    {
        ConfigJson config = root;
        if (kind.Part is { } part)
        {
            config = root.Part(part.Config)!;
            if (config is null)
                root.ThrowMissing(part.Config);
        }

        Architecture architecture = KnownArchitectures.Find(kind.Architecture) ?? throw root.NotRun($"the architecture '{kind.Architecture}'");
        RequireActivation(config, kind);
        Dictionary<string, GgufValue> values = new(StringComparer.Ordinal) { ["general.architecture"] = new GgufValue(kind.Architecture) };
        foreach ((string from, string to, bool required) in s_common)
        {
            double? value = Value(config, kind, from);
            if (value is { } number)
                Add(to, number);
            else if (required)
                config.ThrowMissing(from);
        }

        foreach ((string from, string to) in kind.Keys)
        {
            if (Value(config, kind, from) is { } number)
                Add(to, number);
        }

        double headSize = Value(config, kind, "head_dim") ?? Math.Floor(Value(config, kind, "hidden_size")!.Value / Value(config, kind, "num_attention_heads")!.Value);
        RopeParameters rope = RopeParameters.Read(config, architecture, kind.Defaults.GetValueOrDefault("rope_theta", 10_000), headSize);
        foreach ((string key, object value) in rope.Keys)
        {
            if (value is string text)
                values[$"{kind.Architecture}.{key}"] = new GgufValue(text);
            else
                Add(key, (double)value);
        }

        ModelShape shape = KnownArchitectures.ReadShape(new GgufMetadata(root.Path, values), embeddingRows) with { RopeStyle = RopeStyle.Halves };
        return new ModelConfiguration(kind, kind.Complete(config, shape), rope);

        void Add(string key, double number) => values[$"{kind.Architecture}.{key}"] = Math.Floor(number) == number && Math.Abs(number) < 1L << 53
            ? new GgufValue(GgufValueType.Int64, unchecked((ulong)(long)number))
            : new GgufValue(GgufValueType.Float64, BitConverter.DoubleToUInt64Bits(number));
    }

    private static double? Value(ConfigJson config, HuggingFaceArchitecture kind, string key) =>
        config.Number(key) ?? (kind.Defaults.TryGetValue(key, out double value) ? value : null);

    private static void RequireActivation(ConfigJson config, HuggingFaceArchitecture kind)
    {
        // Gemma's first files say "gelu" in hidden_act and mean what hidden_activation says.
        string? function = config.Text("hidden_activation") ?? (kind.Activation == "silu" ? config.Text("hidden_act") : null);
        if (function is not null && function != kind.Activation && !(kind.Activation == "silu" && function == "swish"))
            throw config.NotRun($"the gate '{function}' in place of '{kind.Activation}'");
    }
}
