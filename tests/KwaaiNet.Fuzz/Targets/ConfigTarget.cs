using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Safetensors.Configuration;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary><c>config.json</c>: the model's shape.</summary>
internal sealed class ConfigTarget : IFuzzTarget
{
    /// <summary>A model has at most 4096 blocks, and its shape says how each attends.</summary>
    private const long Constant = 1_000_000;

    /// <summary>A document of JSON keeps twelve bytes for each value, and a value may be one digit.</summary>
    private const int PerByte = 64;

    public string Name => "config";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = ConfigSeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = ConfigSeeds.Words();

    public void Run(FuzzCase input)
    {
        ConfigJson? config = null;
        if (!input.Stage("open", PerByte, Constant, () => config = ConfigJson.Parse("config.json", input.Input)))
            return;
        input.Stage("shape", PerByte, Constant, () =>
        {
            HuggingFaceArchitecture kind = HuggingFaceArchitectures.Find(config!);
            ModelConfiguration.RefuseQuantized(config!);
            input.Note(ModelConfiguration.IsTied(config!, kind) is true ? 1UL : 0);
            ModelShape shape = ModelConfiguration.Read(config!, kind, null).Shape;
            input.Require(shape.KvHeadCount >= 1 && shape.HeadCount % shape.KvHeadCount == 0 && shape.RopeSize <= shape.HeadSize, "a shape is consistent");
            input.Require(shape.Attention.Count == 0 || shape.Attention.Count == shape.BlockCount, "every block's attention is known");
            input.Note((ulong)shape.QueryWidth);
            input.Note((ulong)shape.VocabularySize);
            input.Note(BitConverter.SingleToUInt32Bits(shape.AttentionScale));
        });
    }
}
