using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A model with some of its tensors or its shape replaced: files that no reader would open, or none of our writers would write.</summary>
internal sealed class PatchedModel(ModelFile inner) : ModelFile
{
    public Dictionary<string, TensorData?> Tensors { get; } = [];

    public ModelShape? OtherShape { get; init; }

    public override string Path => inner.Path;

    public override string Name => inner.Name;

    public override ModelShape Shape => OtherShape ?? inner.Shape;

    public override string WeightFormat => inner.WeightFormat;

    public override long FileBytes => inner.FileBytes;

    public override string WeightsHash => inner.WeightsHash;

    public override ITokenizer Tokenizer => inner.Tokenizer;

    public override ChatTemplate? ChatTemplate => inner.ChatTemplate;

    public override IReadOnlyList<string> TensorNames =>
        [.. inner.TensorNames.Union(Tensors.Keys).Where(n => !Tensors.TryGetValue(n, out TensorData? patch) || patch is not null)];

    public override bool TryGetTensor(string name, out TensorData tensor)
    {
        if (!Tensors.TryGetValue(name, out TensorData? patch)) return inner.TryGetTensor(name, out tensor);

        tensor = patch.GetValueOrDefault();
        return patch is not null;
    }

    public override void Dispose() => inner.Dispose();
}
