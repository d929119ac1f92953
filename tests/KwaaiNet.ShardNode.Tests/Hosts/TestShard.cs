using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Hosting;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>A whole shard host in this process: real ports, real mutual TLS, real blocks.</summary>
internal sealed class TestShard : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestShard(WebApplication app, string endpoint, string http)
    {
        _app = app;
        Endpoint = endpoint;
        Http = http;
    }

    public string NodeId => _app.Services.GetRequiredService<NodeIdentity>().NodeId;

    public string Endpoint { get; }

    public string Http { get; }

    public LoopGauges? Gauges => _app.Services.GetRequiredService<ShardServing>().Held.Loop?.Gauges;

    public bool IsStopping => _app.Lifetime.ApplicationStopping.IsCancellationRequested;

    public bool IsReady => _app.Services.GetRequiredService<ShardServing>().Held.State == ServingState.Ready;

    public static Task<TestShard> StartAsync(MemoryDirectory directory, params string[] options) => StartAsync(directory, null, options);

    public static async Task<TestShard> StartAsync(MemoryDirectory directory, IBlockSource? source, params string[] options)
    {
        string[] args =
        [
            "--Node:GrpcPort=0", "--Node:HttpPort=0", "--Shard:Backend=cpu", "--Shard:Threads=1", "--Shard:Model=tiny", "--Shard:DrainSeconds=1",
            "--Shard:KvBudgetMegabytes=8", "--Node:HeartbeatMilliseconds=200", "--Node:TtlMilliseconds=60000", $"--Shard:ModelPath={TinyModel.Path}",
            .. options.Select(option => "--" + option),
        ];
        WebApplication app = ShardHost.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<INodeDirectory>(directory);
            if (source is not null) builder.Services.AddSingleton(source);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        NodeEndpoints endpoints = app.Services.GetRequiredService<NodeEndpoints>();
        return new TestShard(app, (await endpoints.GetGrpcAsync())!, (await endpoints.GetHttpAsync())!);
    }

    /// <summary>Done when the host has been told to stop, by whomever, and has stopped: what the program waits for.</summary>
    public Task WaitForEndAsync() => _app.WaitForShutdownAsync(TestContext.Current.CancellationToken);

    /// <summary>Stops as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
