using System.CommandLine;
using System.Text.Json;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Local;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet import PATH</c>: takes a model file of this machine into the model folder.</summary>
internal static class ImportCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> path = new("path") { Description = "A .gguf file, or a folder with config.json and .safetensors files." };
        Option<string?> name = new("--name") { Description = "The name it is to go by: mistral:7b. Default: the file's own.", HelpName = "NAME" };
        Option<bool> link = new("--link") { Description = "Link to the file in place of copying it; it must be on the same disk." };
        Option<bool> json = new("--json") { Description = "For programs: an event a line, and a summary." };
        Command command = new("import", "Take a model file of this machine into the model folder.") { path, name, link, json };
        command.SetWork(context, async (parsed, cancellationToken) =>
        {
            bool forPrograms = parsed.GetValue(json);
            FileOutcome outcome = await TransferReport.RunAsync(
                context,
                forPrograms,
                progress => new ModelImport(StoreSettings.For(context.Home), context.Clock, progress)
                    .RunAsync(parsed.GetValue(path)!, parsed.GetValue(name), parsed.GetValue(link), cancellationToken)).ConfigureAwait(false);
            string kept = Path.GetRelativePath(context.Home.ModelsFolder, outcome.Path);
            string local = (Directory.Exists(outcome.Path) ? kept : Path.ChangeExtension(kept, null)).Replace(Path.DirectorySeparatorChar, ':');
            context.Terminal.Line(forPrograms
                ? JsonSerializer.Serialize(new { result = outcome, name = local }, TransferReport.JsonLines)
                : $"{local} is here: {ByteSize.Of(outcome.Bytes)} in {outcome.Path}{(outcome.Sha256 is null ? "" : $", SHA-256 {outcome.Sha256}")}");
            return ExitCode.Success;
        });
        return command;
    }
}
