using System.CommandLine;
using System.Globalization;
using KwaaiNet.Cli.Network;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet up</c>: a whole network on this machine.</summary>
internal static class UpCommand
{
    /// <summary>Given to the copy of the command that <c>--detach</c> leaves running.</summary>
    public const string SuperviseOption = "--supervise";

    private const int MostShards = 1024;

    public static Command Create(CommandContext context)
    {
        Option<int> shards = new("--shards") { Description = "Parts that the model's blocks are cut into, each held by a shard node.", DefaultValueFactory = _ => NetworkOptions.DefaultShards };
        Option<int> replicas = new("--replicas") { Description = "Shard nodes that hold each part of the blocks: with 2 or more, any one of them can be lost in the middle of an answer.", DefaultValueFactory = _ => 1 };
        Option<bool> noRestart = new("--no-restart") { Description = "Leave a node that dies, instead of starting it again." };
        Option<string?> model = new("--model") { Description = "A model's name, or the path of a .gguf file or of a folder of safetensors. Default: the demo model.", HelpName = "NAME|PATH" };
        Option<bool> pull = new("--pull") { Description = "Fetch a model that is not here: each shard only the blocks it serves." };
        Option<int> port = new("--port") { Description = "Port of the OpenAI API; 0 lets the system choose.", DefaultValueFactory = _ => NetworkOptions.DefaultPort };
        Option<string> discovery = new("--discovery") { Description = "How nodes find one another.", DefaultValueFactory = _ => NetworkOptions.Embedded };
        discovery.AcceptOnlyFromAmong(NetworkOptions.Embedded, NetworkOptions.Redis);
        Option<string> redis = new("--redis") { Description = "Redis' address, for --discovery redis.", HelpName = "HOST:PORT", DefaultValueFactory = _ => new NetworkOptions().RedisConnection };
        Option<string> backend = new("--backend") { Description = "What shards compute on.", DefaultValueFactory = _ => "auto" };
        backend.AcceptOnlyFromAmong("auto", "cpu", "ilgpu");
        Option<string[]> set = SettingOption.Create();
        Option<bool> detach = new("--detach") { Description = "Return when the network is up, and leave it running; 'down' stops it." };
        Option<bool> supervise = new(SuperviseOption) { Hidden = true };
        shards.Validators.Add(result => InRange(result, shards, 1, MostShards));
        replicas.Validators.Add(result => InRange(result, replicas, 1, MostShards));
        port.Validators.Add(result => InRange(result, port, 0, 65535));

        Command command = new("up", "Start a network on this machine: discovery, shards and the OpenAI API.")
        {
            shards, replicas, model, pull, port, discovery, redis, backend, set, noRestart, detach, supervise,
        };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(detach) && !parsed.GetValue(supervise))
            {
                return DetachedUp.StartAsync(context, parsed.Tokens.Select(token => token.Value), cancellationToken);
            }

            NetworkOptions options = new()
            {
                Shards = parsed.GetValue(shards),
                Replicas = parsed.GetValue(replicas),
                Restart = !parsed.GetValue(noRestart),
                Model = parsed.GetValue(model),
                Pull = parsed.GetValue(pull),
                Port = parsed.GetValue(port),
                Discovery = parsed.GetValue(discovery)!,
                RedisConnection = parsed.GetValue(redis)!,
                Backend = parsed.GetValue(backend)!,
                Settings = SettingOption.Read(parsed.GetValue(set)),
            };
            return new UpSession(context, options, parsed.GetValue(supervise)).RunAsync(cancellationToken);
        });
        return command;
    }

    private static void InRange(System.CommandLine.Parsing.OptionResult result, Option<int> option, int minimum, int maximum)
    {
        // What is no number at all is the parser's to say, and asking it for the value would throw.
        if (result.Tokens is [{ Value: string text }]
            && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
            && (value < minimum || value > maximum))
        {
            result.AddError($"{option.Name} must be {minimum} to {maximum}, not {value}.");
        }
    }
}
