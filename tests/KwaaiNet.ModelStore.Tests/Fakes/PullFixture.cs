using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Pulling;

namespace KwaaiNet.ModelStore.Tests.Fakes;

/// <summary>A server, an empty folder, a puller between them, and what it said.</summary>
internal sealed class PullFixture : IAsyncDisposable, IProgress<PullEvent>
{
    private readonly List<PullEvent> _events = [];

    private PullFixture(FakeHub hub) => Hub = hub;

    public FakeHub Hub { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("kwaainet-store-").FullName;

    public Func<string, long?> FreeSpace { get; set; } = _ => null;

    public Action<ModelStoreOptions> Change { get; set; } = _ => { };

    /// <summary>Called with every event, before it is noted.</summary>
    public Action<PullEvent> Watch { get; set; } = _ => { };

    public string Said
    {
        get
        {
            lock (_events) return string.Join('\n', _events.Select(entry => entry.Text));
        }
    }

    public static async Task<PullFixture> StartAsync() => new(await FakeHub.StartAsync());

    public ModelStoreOptions Options()
    {
        ModelStoreOptions options = new()
        {
            Registry = Hub.Address,
            HuggingFace = Hub.Address,
            Folder = Folder,
            FirstPauseMilliseconds = 1,
            LongestPauseSeconds = 0.05,
            Retries = 3,
            StallSeconds = 20,
        };
        Change(options);
        return options;
    }

    public async Task<PullResult> PullAsync(string reference, string? blocks = null, string? digests = null, CancellationToken? cancellationToken = null)
    {
        using ModelPuller puller = new(Options(), TimeProvider.System, FreeSpace);
        PullRequest request = new(reference) { Blocks = blocks is null ? null : WantedBlocks.Parse(blocks), Digests = digests };
        return await puller.PullAsync(request, this, cancellationToken ?? TestContext.Current.CancellationToken);
    }

    public string[] FilesLeft() => [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/')).Where(path => !path.StartsWith(".locks", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public void Report(PullEvent value)
    {
        lock (_events) _events.Add(value);
        Watch(value);
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
