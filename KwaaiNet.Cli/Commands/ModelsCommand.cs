using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.Cli.Api;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet models</c>: the model files of this machine, and what the running network serves.</summary>
internal static class ModelsCommand
{
    public static Command Create(CommandContext context)
    {
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("models", "List the models on this machine and those the network serves.") { json };
        command.SetWork(context, (parsed, cancellationToken) => RunAsync(context, parsed.GetValue(json), cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<LocalModel> local = LocalModels.List(context.Home);
        IReadOnlyList<ApiModel> served = [];
        if (NetworkStateFile.ReadRunning(context.Home) is { Url.Length: > 0 } network)
        {
            using ApiClient client = new(network.Url);
            served = await client.ListModelsAsync(cancellationToken).ConfigureAwait(false);
        }

        if (json)
        {
            context.Terminal.Line(JsonSerializer.Serialize(new { local, network = served }, CommandJson.Options));
            return ExitCode.Success;
        }

        Table table = new Table().Border(TableBorder.Minimal).AddColumns("model", "size", "weights", "blocks", "context", "network", "file");
        foreach (LocalModel model in local)
        {
            table.AddRow(
                new Text(model.Name),
                new Text(ByteSize.Of(model.Bytes)),
                new Text(model.WeightFormat ?? "-"),
                new Text(model.Blocks?.ToString(CultureInfo.InvariantCulture) ?? "-"),
                new Text(model.ContextLength?.ToString(CultureInfo.InvariantCulture) ?? "-"),
                new Text(model.Problem is not null ? "cannot be served" : Served(served.FirstOrDefault(entry => entry.Id == model.Name))),
                new Text(model.Path));
        }

        foreach (ApiModel model in served.Where(entry => local.All(own => own.Name != entry.Id)))
        {
            table.AddRow(new Text(model.Id), new Text("-"), new Text("-"), new Text("-"), new Text("-"), new Text(Served(model)), new Text("-"));
        }

        if (table.Rows.Count == 0)
        {
            context.Terminal.Line($"No models. Put .gguf files into {context.Home.ModelsFolder}, or give a path to '{CommandName.For("up --model FILE")}'.");
            return ExitCode.Success;
        }

        context.Terminal.Table(table);
        foreach (LocalModel model in local.Where(model => model.Problem is not null))
        {
            context.Terminal.Warning($"{model.Name} cannot be served: {model.Problem}");
        }

        return ExitCode.Success;
    }

    private static string Served(ApiModel? model) =>
        model is null ? "-" : $"served{(model.Kwaainet?.Sharded == true ? ", sharded" : "")}, trust {model.Kwaainet?.TrustTier ?? "Unknown"}";
}
