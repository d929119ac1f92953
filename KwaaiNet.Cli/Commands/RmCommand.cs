using System.CommandLine;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore.Local;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet rm NAME</c>: removes a model of this machine.</summary>
internal static class RmCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<string> model = new("name") { Description = "A model's name, as 'models' shows it." };
        Option<bool> yes = new("--yes", "-y") { Description = "Do not ask." };
        Command command = new("rm", "Remove a model from this machine.") { model, yes };
        command.SetWork(context, (parsed, _) => Task.FromResult(Run(context, parsed.GetValue(model)!, parsed.GetValue(yes))));
        return command;
    }

    internal static int Run(CommandContext context, string name, bool yes)
    {
        IReadOnlyList<CatalogModel> models = Find(context, name);
        string shown = models.Count == 1 ? models[0].Name : $"{models.Count} parts of {name}";
        if (yes && models.Count == 1 && !StoredModel.IsNamed(models[0], name))
            throw new CommandFailure($"There is no model '{name}'; {shown} is only alike.", $"'{CommandName.For($"rm {shown} --yes")}' if that is the one.");
        if (NetworkStateFile.ReadRunning(context.Home) is { } running && models.Any(model => IsServed(running.ModelPath, model)))
            throw new CommandFailure($"{shown} is being served.", $"stop the network first: '{CommandName.For("down")}'.");
        if (!yes)
        {
            if (!context.Terminal.Interactive) throw new CommandFailure("Nobody is here to ask whether to remove it.", "add --yes.");
            long bytes = models.SelectMany(model => ModelRemoval.FilesOf(model.Path)).Sum(file => new FileInfo(file).Length);
            context.Terminal.Text($"Remove {shown} ({ByteSize.Of(bytes)}, {string.Join(", ", models.Select(model => model.Path))})? [y/N] ");
            if (context.Terminal.Input.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
            {
                context.Terminal.Line("Nothing was removed.");
                return ExitCode.Failure;
            }
        }

        long freed = models.Sum(model => ModelRemoval.Remove(context.Home.ModelsFolder, model.Path));
        context.Terminal.Line($"{shown} {(models.Count == 1 ? "is" : "are")} removed: {ByteSize.Of(freed)} freed.");
        return ExitCode.Success;
    }

    // Shards that pull serve other parts than the header that the network was started with.
    private static bool IsServed(string served, CatalogModel model) =>
        served == model.Path || (ModelCard.Read(served) is { Blocks: not null, Source: { } source } && ModelCard.Read(model.Path)?.Source == source);

    private static IReadOnlyList<CatalogModel> Find(CommandContext context, string name)
    {
        // What a stopped pull has left is no model yet, but takes room as one does.
        CatalogModel? unfinished = UnfinishedPulls.List(context.Home).FirstOrDefault(model => StoredModel.IsNamed(model, name));
        CatalogModel[] parts = [.. new ModelCatalog(context.Home.ModelsFolder).List()
            .Where(model => ModelCard.Read(model.Path) is { Blocks: not null, Source: { } source } && (source == name || source == name + ":latest"))];
        try
        {
            CatalogModel model = StoredModel.Find(context.Home, name);
            if (StoredModel.IsNamed(model, name)) return [model];
            return parts.Length > 0 ? parts : [unfinished ?? model];
        }
        catch (CommandFailure) when (parts.Length > 0 || unfinished is not null)
        {
            return parts.Length > 0 ? parts : [unfinished!];
        }
    }
}
