using System.CommandLine;
using System.Text.Json;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Pulling;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet pull MODEL</c>: fetches a model, or some blocks of one.</summary>
internal static class PullCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> model = new("model") { Description = "llama3.1:8b, user/name:tag, hf:owner/repo/file.gguf or hf:owner/repo:Q4_K_M." };
        Option<string?> registry = new("--registry") { Description = "Another registry, or for hf: another hub, to ask.", HelpName = "URL" };
        Option<string?> blocks = new("--blocks") { Description = "Only these blocks, both ends included: 0-7. 'none': the header, which is all an API node needs.", HelpName = "A-B|none" };
        Option<string?> digests = new("--digests") { Description = "A list of tensor digests to check blocks against.", HelpName = "FILE|URL" };
        Option<bool> json = new("--json") { Description = "For programs: an event a line, and a summary." };
        Command command = new("pull", "Fetch a model from a registry or from the Hugging Face hub.") { model, registry, blocks, digests, json };
        command.SetWork(context, (parsed, cancellationToken) =>
        {
            PullRequest request = new(parsed.GetValue(model)!)
            {
                Blocks = parsed.GetValue(blocks) is { } wanted ? WantedBlocks.Parse(wanted) : null,
                Digests = parsed.GetValue(digests),
            };
            return RunAsync(context, request, parsed.GetValue(registry), parsed.GetValue(json), cancellationToken);
        });
        return command;
    }

    internal static async Task<int> RunAsync(CommandContext context, PullRequest request, string? registry, bool json, CancellationToken cancellationToken)
    {
        using ModelPuller puller = new(StoreSettings.For(context.Home, request.Reference, registry), context.Clock);
        PullResult result;
        try
        {
            result = await TransferReport.RunAsync(context, json, progress => puller.PullAsync(request, progress, cancellationToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            string blocks = request.Blocks is { } wanted ? $" --blocks {wanted}" : "";
            string asked = registry is null ? "" : $" --registry {registry}";
            context.Terminal.Error("Stopped. What has come is kept.", $"go on with '{CommandName.For($"pull {request.Reference}{blocks}{asked}")}'.");
            return ExitCode.Interrupted;
        }

        if (json)
        {
            context.Terminal.Line(JsonSerializer.Serialize(new { result }, TransferReport.JsonLines));
            return ExitCode.Success;
        }

        Summarise(context.Terminal, result);
        return ExitCode.Success;
    }

    private static void Summarise(Terminal terminal, PullResult result)
    {
        long bytes = result.Files.Sum(file => file.Bytes);
        terminal.Line(result.WasThere
            ? $"{result.Model} is here already, unchanged: {result.Path}"
            : $"{result.Model} is here: {ByteSize.Of(bytes)} in {result.Path}");
        if (result.Blocks is { } blocks)
        {
            string what = blocks == "none" ? "The header only" : $"Blocks {blocks} only";
            terminal.Line($"{what}: {ByteSize.Of(bytes)} in place of {ByteSize.Of(result.PublishedBytes)}, {ByteSize.Of(result.Saved)} saved.");
        }

        terminal.Line($"Checked: {result.Verified}.");
        terminal.Line(result.Blocks is null
            ? $"Use it: {CommandName.For($"up --model {result.LocalName}")}"
            : $"Look at it: {CommandName.For($"show {result.LocalName}")}");
    }
}
