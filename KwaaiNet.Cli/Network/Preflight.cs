using System.Net;
using System.Net.Sockets;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Everything that can be found wrong before the first process is started.</summary>
internal static class Preflight
{
    private const int MostNodes = 1024;
    private static readonly TimeSpan s_redisPatience = TimeSpan.FromSeconds(3);

    /// <summary>Checks the request, and says what will be started.</summary>
    /// <exception cref="CommandFailure">The network could not come up.</exception>
    public static async Task<NetworkPlan> CheckAsync(KwaaiNetHome home, NetworkOptions options, CancellationToken cancellationToken)
    {
        if (NetworkStateFile.ReadRunning(home) is { } running)
        {
            throw new CommandFailure(
                $"A network is up already: {running.Model} at {running.Url} (process {running.Supervisor.Pid}).",
                $"use it, stop it with '{CommandName.For("down")}', or start a second one with another {KwaaiNetHome.Variable} and --port.");
        }

        foreach (string program in new[] { HostProgram.Discovery, HostProgram.ShardNode, HostProgram.ApiNode })
        {
            _ = HostProgram.Find(program);
        }

        LocalModel model = options is { Pull: true, Model: { } wanted }
            ? await PullableModel.FindAsync(home, wanted, options.Settings, cancellationToken).ConfigureAwait(false)
            : LocalModels.Find(home, options.Model);
        CheckShards(options.Shards, model);
        if (options.Shards * options.Replicas > MostNodes)
        {
            throw new CommandFailure(
                $"{options.Shards} shards with {options.Replicas} replicas each are {options.Shards * options.Replicas} nodes.",
                $"--shards times --replicas must be {MostNodes} or less.");
        }

        CheckPort(options.Port);
        if (options.Discovery == NetworkOptions.Redis)
        {
            await CheckRedisAsync(options.RedisConnection, cancellationToken).ConfigureAwait(false);
        }

        return NetworkPlan.Create(options, model);
    }

    /// <summary>Every shard must have a block to hold.</summary>
    /// <exception cref="CommandFailure">The model has fewer blocks.</exception>
    public static void CheckShards(int shards, LocalModel model)
    {
        if (shards > model.Blocks)
        {
            throw new CommandFailure($"{model.Name} has {model.Blocks} blocks: {shards} shards cannot each hold one.", $"--shards {model.Blocks} or fewer.");
        }
    }

    internal static void CheckPort(int port)
    {
        if (port == 0)
        {
            return;
        }

        try
        {
            using TcpListener probe = new(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            probe.Start();
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            throw new CommandFailure(
                exception.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"Port {port} is in use by {PortHolder.Find(port)?.ToString() ?? "another program"}."
                    : $"This user may not listen on port {port}.",
                $"another port: '{CommandName.For($"up --port {(port == 65535 ? NetworkOptions.DefaultPort : port + 1)}")}'.");
        }
    }

    /// <summary>Whether something answers where Redis should be. The password and the rest are discovery's business, which reports them itself.</summary>
    private static async Task CheckRedisAsync(string connection, CancellationToken cancellationToken)
    {
        string endpoint = connection.Split(',')[0].Trim();
        int colon = endpoint.LastIndexOf(':');
        string host = colon < 0 ? endpoint : endpoint[..colon].Trim('[', ']');
        if (!int.TryParse(colon < 0 ? "6379" : endpoint[(colon + 1)..], out int port) || host.Length == 0)
        {
            throw new CommandFailure($"'{endpoint}' is not an address of Redis.", "--redis HOST:PORT, optionally followed by ,password=… .");
        }

        try
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(host, port, cancellationToken).AsTask().WaitAsync(s_redisPatience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or TimeoutException)
        {
            throw new CommandFailure(
                $"No Redis answers at {host}:{port}.",
                "start one ('docker run -d -p 6379:6379 redis'), give its address with --redis, or use --discovery embedded, which needs none.");
        }
    }
}
