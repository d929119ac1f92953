using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>Two shards for each of two ranges of a model that never stops by itself; every test leaves it as it found it.</summary>
public sealed class ReplicatedNetwork : IAsyncLifetime
{
    internal const string Model = "endless";

    private readonly string _folder = Directory.CreateTempSubdirectory("kwaainet-apphost-").FullName;

    internal RunningNetwork Network { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        string model = Path.Combine(_folder, Model + ".gguf");
        SyntheticChatModel.Write(model);
        Network = await RunningNetwork.StartAsync("Discovery:Backend=embedded", "Parameters:shards=2", "Parameters:replicas=2", $"Parameters:model={model}");
    }

    public async ValueTask DisposeAsync()
    {
        if (Network is not null) await Network.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
