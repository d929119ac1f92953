using System.Globalization;
using KwaaiNet.DemoModel.Export;
using KwaaiNet.DemoModel.Model;
using KwaaiNet.DemoModel.Text;
using KwaaiNet.DemoModel.Tokens;
using KwaaiNet.DemoModel.Training;
using Spectre.Console;

namespace KwaaiNet.DemoModel.Commands;

/// <summary>The steps from nothing to a model file, each a verb of the tool.</summary>
internal static class Steps
{
    public static void WriteText(WorkFolder folder, int seed, int conversations)
    {
        Directory.CreateDirectory(folder.Path);
        ConversationGenerator generator = new(seed);
        using StreamWriter writer = new(folder.Text);
        for (int number = 0; number < conversations; number++)
            writer.Write(generator.Make(number, 512) + "<|endoftext|>\n");
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{conversations} conversations in {folder.Text}"));
    }

    public static void Train(WorkFolder folder, int seed, double minutes, bool resume, CancellationToken cancellationToken)
    {
        BytePairVocabulary vocabulary = resume ? folder.LoadVocabulary() : folder.LearnVocabulary(seed);
        using Llama model = new(seed);
        using Trainer trainer = new(model, vocabulary, seed, TimeSpan.FromMinutes(minutes), folder.Checkpoint);
        if (resume)
            trainer.Resume();
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 140; // a log, not a screen: a report stays on its line
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.ParameterCount:N0} parameters, {minutes} minutes; Ctrl-C stops and keeps what was learned."));
        RunState end = trainer.Run(Show, cancellationToken);
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{end.Tokens:N0} tokens in {end.Seconds / 60:N1} minutes, kept in {folder.Checkpoint}"));
    }

    public static void Export(WorkFolder folder, string output)
    {
        BytePairVocabulary vocabulary = folder.LoadVocabulary();
        using Llama model = new(seed: 0);
        Checkpoint.Load(folder.Checkpoint, model);
        DemoModelFile.Write(output, model, vocabulary);
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(output).Length:N0} bytes in {output}"));
    }

    public static void Sample(WorkFolder folder, string prompt, double temperature, int seed)
    {
        BytePairVocabulary vocabulary = folder.LoadVocabulary();
        using Llama model = new(seed: 0);
        Checkpoint.Load(folder.Checkpoint, model);
        AnsiConsole.WriteLine(new Sampler(model, vocabulary).Answer(prompt, temperature, seed));
    }

    private static void Show(TrainingReport report)
    {
        (RunState at, double loss, double? heldOut, double speed, TimeSpan left) = report;
        string held = heldOut is { } value ? string.Create(CultureInfo.InvariantCulture, $"  held-out {value:F4}") : "";
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[grey]step[/] {at.Step,5}  [grey]tokens[/] {at.Tokens / 1e6,6:F2} M  [grey]loss[/] [green]{loss:F4}[/]{held}  {speed,6:F0} tokens/s  {left:hh\\:mm\\:ss} left");
    }
}
