using System.Text.Json.Serialization;

namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>The answer of <c>GET /v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelEntry> Data, string Object = "list");

/// <summary>One model that can be used now.</summary>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy, ModelKwaaiNet Kwaainet);

/// <summary>How the network serves the model.</summary>
/// <param name="Sharded">Whether the chain has more than one shard.</param>
/// <param name="TrustTier">The tier of the best chain's weakest node.</param>
/// <param name="Shards">Shards of the chain a request would take now.</param>
/// <param name="Blocks">Transformer blocks.</param>
/// <param name="ContextLength">Positions of prompt and answer together.</param>
/// <param name="WeightFormat">How most weights are stored.</param>
/// <param name="WeightsHash">SHA-256 of the model file.</param>
/// <param name="Replicas">On how many usable nodes the rarest block lies: with 2 any one of them can be lost in the middle of an answer.</param>
/// <param name="Coverage">From the first block to the last: ranges, and on how many usable nodes they lie.</param>
internal sealed record ModelKwaaiNet(
    bool Sharded, string TrustTier, int Shards, int Blocks, int ContextLength, string WeightFormat, string WeightsHash,
    int Replicas, IReadOnlyList<ModelCoverage> Coverage)
{
    /// <summary>What a request that leaves sampling open gets because the model's makers recommend it; absent when they recommend nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelSampling? Sampling { get; init; }
}

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c> and on how many usable nodes they lie.</summary>
internal sealed record ModelCoverage(int FirstBlock, int EndBlock, int Nodes);

/// <summary>The recommended parameters, by the names that requests use; what is not recommended is absent.</summary>
internal sealed record ModelSampling(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? Temperature,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? TopK,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? TopP,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? MinP,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? TypicalP,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? RepetitionPenalty,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? RepeatLastN);
