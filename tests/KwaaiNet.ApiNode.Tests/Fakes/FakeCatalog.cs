using KwaaiNet.ApiNode.Models;

namespace KwaaiNet.ApiNode.Tests.Fakes;

internal sealed class FakeCatalog(params ChatModel[] models) : IChatModelCatalog
{
    public static readonly string Hash = new('a', 64);

    public IReadOnlyList<ChatModel> Models => models;

    public static ChatModel Model(string id = "demo", int blocks = 6, int context = 256, long kvBytes = 1) => new()
    {
        Id = id,
        WeightsHash = Hash,
        BlockCount = blocks,
        ContextLength = context,
        KvBytesPerBlockPosition = kvBytes,
        Tokenizer = new FakeTokenizer(),
        ChatTemplate = new FakeTemplate(),
        Created = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000),
        WeightFormat = "Q8_0",
    };

    public ChatModel? Find(string id) => models.FirstOrDefault(model => model.Id == id);

    public bool IsOpening(string id) => id == "opening";
}
