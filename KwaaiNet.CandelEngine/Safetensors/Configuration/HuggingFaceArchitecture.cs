using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>How a kind of model that Hugging Face's library names is one of our architectures: what its <c>config.json</c> says besides the common, and what its tensors are called.</summary>
/// <param name="ModelType">The value of <c>model_type</c>.</param>
/// <param name="Architecture">The name that GGUF gives the architecture.</param>
internal sealed record HuggingFaceArchitecture(string ModelType, string Architecture)
{
    /// <summary>Values that the kind's files may leave out.</summary>
    public IReadOnlyDictionary<string, double> Defaults { get; init; } = new Dictionary<string, double>();

    /// <summary>Keys of <c>config.json</c> besides the common ones, and the GGUF keys (without the architecture's prefix) that mean the same.</summary>
    public IReadOnlyList<(string From, string To)> Keys { get; init; } = [];

    /// <summary>Names of tensors of a block that are not the common ones, or mean something else here.</summary>
    public IReadOnlyDictionary<string, string> Tensors { get; init; } = new Dictionary<string, string>();

    /// <summary>The gate's function in <c>hidden_act</c>: <c>silu</c> or <c>gelu_pytorch_tanh</c>.</summary>
    public string Activation { get; init; } = "silu";

    /// <summary>Norm weights are stored less one.</summary>
    public bool NormsLessOne { get; init; }

    /// <summary>The object of <c>config.json</c> and the prefix of the tensors that hold the language part of a model of several parts.</summary>
    public (string Config, string Tensors)? Part { get; init; }

    /// <summary>Refuses what the configuration says that is not run, and adds what GGUF's keys cannot say.</summary>
    public Func<ConfigJson, ModelShape, ModelShape> Complete { get; init; } = (_, shape) => shape;
}
