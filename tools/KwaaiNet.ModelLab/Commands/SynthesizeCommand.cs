using System.CommandLine;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Synthesis;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>synthesize</c>: a small model of random weights in an architecture's clothes.</summary>
internal static class SynthesizeCommand
{
    public static Command Create()
    {
        Argument<string> name = new("architecture") { Description = string.Join(", ", Recipes.All.Select(recipe => recipe.Name)) };
        name.AcceptOnlyFromAmong([.. Recipes.All.Select(recipe => recipe.Name)]);
        Argument<string> output = new("output") { Description = "The GGUF file to write." };
        Option<GgmlType> type = new("--type") { Description = "How the weights are stored.", DefaultValueFactory = _ => GgmlType.F32 };
        Option<int> seed = new("--seed") { Description = "Decides the weights.", DefaultValueFactory = _ => 1 };

        Command command = new("synthesize", "Write a two-block model of random weights, the same bytes everywhere for the same seed.") { name, output, type, seed };
        command.SetAction(result =>
        {
            Recipe recipe = Recipes.Find(result.GetValue(name)!)!;
            SyntheticFile.Write(result.GetValue(output)!, recipe, result.GetValue(type), result.GetValue(seed));
            Console.WriteLine($"{recipe.Name}: {recipe.Exercises}");
        });
        return command;
    }
}
