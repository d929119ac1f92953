using System.CommandLine;
using System.Globalization;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>greedy</c>: records llama.cpp's greedy continuations of a model, and says how far ours are the same.</summary>
internal static class GreedyCommand
{
    public static Command Create()
    {
        Argument<string> model = new("model") { Description = "A GGUF file." };
        Argument<string> output = new("output") { Description = "The JSON file to write." };

        Command command = new("greedy", "Record llama.cpp's greedy continuations of three prompts, and compare ours.") { model, output, PeerOption.Required };
        command.SetAction(result =>
        {
            string path = result.GetValue(model)!;
            GreedyReference reference = GreedyReference.Make(path, new Peer(result.GetValue(PeerOption.Required)!));
            reference.Save(result.GetValue(output)!);
            using ModelRun ours = new(path);
            foreach (GreedyRun run in reference.Runs)
            {
                int[] ids = ours.Continue(run.PromptIds, run.Ids.Length, ModelRun.Best);
                int parted = Enumerable.Range(0, ids.Length).FirstOrDefault(i => ids[i] != run.Ids[i], ids.Length);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\"{run.Prompt}\": {parted} of {run.Ids.Length} tokens the same; least lead {run.Leads.Min():g2}"));
            }
        });
        return command;
    }
}
