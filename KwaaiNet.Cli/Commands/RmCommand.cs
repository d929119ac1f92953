using System.CommandLine;
using KwaaiNet.CandelEngine.Models;
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
        CatalogModel model = Find(context, name);
        if (yes && !StoredModel.IsNamed(model, name))
            throw new CommandFailure($"There is no model '{name}'; {model.Name} is only alike.", $"'{CommandName.For($"rm {model.Name} --yes")}' if that is the one.");
        if (NetworkStateFile.ReadRunning(context.Home) is { } running && running.ModelPath == model.Path)
            throw new CommandFailure($"{model.Name} is being served.", $"stop the network first: '{CommandName.For("down")}'.");
        long bytes = ModelRemoval.FilesOf(model.Path).Sum(file => new FileInfo(file).Length);
        if (!yes)
        {
            if (!context.Terminal.Interactive) throw new CommandFailure("Nobody is here to ask whether to remove it.", "add --yes.");
            context.Terminal.Text($"Remove {model.Name} ({ByteSize.Of(bytes)}, {model.Path})? [y/N] ");
            if (context.Terminal.Input.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
            {
                context.Terminal.Line("Nothing was removed.");
                return ExitCode.Failure;
            }
        }

        long freed = ModelRemoval.Remove(context.Home.ModelsFolder, model.Path);
        context.Terminal.Line($"{model.Name} is removed: {ByteSize.Of(freed)} freed.");
        return ExitCode.Success;
    }

    private static CatalogModel Find(CommandContext context, string name)
    {
        // What a stopped pull has left is no model yet, but takes room as one does.
        CatalogModel? unfinished = UnfinishedPulls.List(context.Home).FirstOrDefault(model => StoredModel.IsNamed(model, name));
        try
        {
            CatalogModel model = StoredModel.Find(context.Home, name);
            return unfinished is not null && !StoredModel.IsNamed(model, name) ? unfinished : model;
        }
        catch (CommandFailure) when (unfinished is not null)
        {
            return unfinished;
        }
    }
}
