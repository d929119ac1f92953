using KwaaiNet.ApiNode.Models;

namespace KwaaiNet.ApiNode.Tests.Fakes;

internal sealed class FakeCatalog(params ChatModel[] models) : IChatModelCatalog
{
    /// <summary>Key and value of one number each, as binary32.</summary>
    public const long KvBytesPerBlockPosition = 8;

    public static readonly string Hash = new('a', 64);

    public event Action? Changed
    {
        add { }
        remove { }
    }

    public IReadOnlyList<ChatModel> Models => models;

    public static ChatModel Model(string id = "demo", int blocks = 6, int context = 256, long kvBytes = KvBytesPerBlockPosition) => new()
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

    public ChatModel? Find(string id) => ModelNames.Find(models.Select(model => model.Id), id) is { } name ? models.First(model => model.Id == name) : null;

    public IReadOnlyDictionary<string, string> Closed { get; init; } = new Dictionary<string, string>();

    public bool IsOpening(string id) => id == "opening";
}
