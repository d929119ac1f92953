using System.Globalization;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Processes;

namespace KwaaiNet.Cli.Network;

/// <summary>The nodes of a network on this machine, before any of them runs.</summary>
internal sealed class NetworkPlan
{
    public const string DiscoveryName = "discovery";
    public const string ApiName = "api";
    private const string DefaultNetworkName = "local";

    private NetworkPlan(NetworkPlan plan, IReadOnlyList<NodeLaunch> shards)
    {
        (Options, Model, Discovery, Api) = (plan.Options, plan.Model, plan.Discovery, plan.Api);
        Shards = shards;
    }

    private NetworkPlan(NetworkOptions options, LocalModel model)
    {
        Options = options;
        Model = model;
        Discovery = Launch(DiscoveryName, HostProgram.Discovery).With(
            ("Node:GrpcPort", "0"),
            ("Node:HttpPort", "0"),
            ("Discovery:Backend", options.Discovery),
            ("ConnectionStrings:registry", options.Discovery == NetworkOptions.Redis ? options.RedisConnection : null));
        Shards = [.. Enumerable.Range(1, options.Shards * options.Replicas).Select(Shard)];
        Api = Launch(ApiName, HostProgram.ApiNode).With(
            ("Node:HttpPort", Text(options.Port)),
            ("Api:Models:0:Name", model.Name),
            ("Api:Models:0:Path", model.Path));
    }

    public static NetworkPlan Create(NetworkOptions options, LocalModel model) => new(options, model);

    public NetworkOptions Options { get; }

    public LocalModel Model { get; }

    /// <summary>The network's name, as the nodes' records carry it.</summary>
    public string NetworkName => Options.Settings.GetValueOrDefault("Node:Network", DefaultNetworkName);

    public NodeLaunch Discovery { get; }

    /// <summary>As many as parts times replicas; each chooses the part that the fewest hold.</summary>
    public IReadOnlyList<NodeLaunch> Shards { get; }

    public NodeLaunch Api { get; }

    /// <summary>The same network with every shard changed.</summary>
    public NetworkPlan WithShards(Func<NodeLaunch, NodeLaunch> change) => new(this, [.. Shards.Select(change)]);

    public static string ShardName(int number) => "shard-" + Text(number);

    private NodeLaunch Shard(int number) => Launch(ShardName(number), HostProgram.ShardNode).With(
        ("Node:GrpcPort", "0"),
        ("Node:HttpPort", "0"),
        ("Shard:ModelPath", Model.PullFrom is null ? Model.Path : null),
        ("Shard:Model", Model.PullFrom ?? Model.Name),
        ("Shard:Pull", Model.PullFrom is null ? null : "true"),
        ("ModelStore:Folder", Model.PullFrom is null ? null : Model.StoreFolder),
        ("Shard:ExpectedShards", Text(Options.Shards)),
        ("Shard:Backend", Options.Backend));

    private NodeLaunch Launch(string name, string program) => new(name, program, Options.Settings);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
