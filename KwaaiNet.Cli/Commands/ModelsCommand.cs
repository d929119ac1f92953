using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.Cli.Api;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet models</c>: the model files of this machine, and what the running network serves.</summary>
internal static class ModelsCommand
{
    // All columns beside one another, with a path of a usual length.
    private const int WideEnough = 140;

    public static Command Create(CommandContext context)
    {
        Option<bool> json = new("--json") { Description = "For programs." };
        Option<bool> verify = new("--verify") { Description = "Read every file again and compare it with its digest." };
        Command command = new("models", "List the models on this machine and those the network serves.") { json, verify };
        command.SetWork(context, (parsed, cancellationToken) => parsed.GetValue(verify)
            ? Task.FromResult(ModelCheck.Run(context, cancellationToken, parsed.GetValue(json)))
            : RunAsync(context, parsed.GetValue(json), cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<LocalModel> local = LocalModels.List(context.Home);
        IReadOnlyList<ApiModel> served = [];
        if (NetworkStateFile.ReadRunning(context.Home) is { Url.Length: > 0 } network)
        {
            using ApiClient client = new(network.Url);
            try
            {
                served = await client.ListModelsAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (CommandFailure failure)
            {
                // The files are here all the same.
                context.Terminal.Error(failure.Message, $"'{CommandName.For("status")}' shows what has stopped; models of this machine are listed all the same.");
            }
        }

        if (json)
        {
            context.Terminal.Line(JsonSerializer.Serialize(new { local, network = served }, CommandJson.Options));
            return ExitCode.Success;
        }

        Show(context, local, served);
        foreach (CatalogModel model in UnfinishedPulls.List(context.Home))
        {
            context.Terminal.Line($"  {model.Name}: {ByteSize.Of(model.FileBytes)} of an unfinished pull; pull it again to go on, or '{CommandName.For($"rm {model.Name}")}'.");
        }

        return ExitCode.Success;
    }

    internal static void Show(CommandContext context, IReadOnlyList<LocalModel> local, IReadOnlyList<ApiModel> served)
    {
        // On a usual screen a path would be folded into pieces that nobody can copy: there it gets a line of its own.
        bool wide = context.Terminal.Width >= WideEnough;
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("model", "size", "weights", "blocks", "context", "network");
        if (wide)
        {
            table.AddColumns("architecture", "source", "file");
        }

        foreach (LocalModel model in local)
        {
            AddRow(
                model.Name,
                ByteSize.Of(model.Bytes),
                model.WeightFormat ?? "-",
                Blocks(model),
                model.ContextLength?.ToString(CultureInfo.InvariantCulture) ?? "-",
                model.Problem is not null ? "cannot be served" : Served(served.FirstOrDefault(entry => entry.Id == model.Name)),
                model.Architecture ?? "-",
                model.Source ?? "-",
                model.Path);
        }

        foreach (ApiModel model in served.Where(entry => local.All(own => own.Name != entry.Id)))
        {
            AddRow(model.Id, "-", "-", "-", "-", Served(model), "-", "-", "-");
        }

        if (table.Rows.Count == 0)
        {
            context.Terminal.Line($"No models. Fetch one with '{CommandName.For("pull llama3.2:1b")}', put .gguf files, or folders of safetensors, into {context.Home.ModelsFolder}, or give a path to '{CommandName.For("up --model FILE")}'.");
            return;
        }

        context.Terminal.Table(table);
        foreach (LocalModel model in wide ? [] : local)
        {
            context.Terminal.Line($"  {model.Name}: {model.Path}");
        }

        foreach (LocalModel model in local.Where(model => model.Problem is not null))
        {
            context.Terminal.Warning($"{model.Name} cannot be served: {model.Problem}");
        }

        void AddRow(params IEnumerable<string> cells) => table.AddRow(cells.Take(table.Columns.Count).Select(cell => new Text(cell)));
    }

    private static string Blocks(LocalModel model)
    {
        string all = model.Blocks?.ToString(CultureInfo.InvariantCulture) ?? "-";
        return model.Held is { } held ? $"{held.Replace("blocks ", "", StringComparison.Ordinal)} of {all}" : all;
    }

    private static string Served(ApiModel? model) =>
        model is null ? "-" : $"served{(model.Kwaainet?.Sharded == true ? ", sharded" : "")}, trust {model.Kwaainet?.TrustTier ?? "Unknown"}";
}
