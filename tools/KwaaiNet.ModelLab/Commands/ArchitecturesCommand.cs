using System.CommandLine;
using System.Globalization;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Measurement;
using KwaaiNet.ModelLab.Synthesis;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>architectures</c>: every synthetic model through llama.cpp and through us; the table of <c>docs/accuracy.md</c>.</summary>
internal static class ArchitecturesCommand
{
    public static Command Create()
    {
        Option<string?> references = new("--references") { Description = "A folder to write llama.cpp's figures to, for the tests (tests/KwaaiNet.CandelEngine.Tests/Data/Architectures)." };
        Option<string[]> only = new("--only") { Description = "Recipes to take; all by default.", AllowMultipleArgumentsPerToken = true };

        Command command = new("architectures", "Compare our logits with llama.cpp's on a synthetic model of every architecture.") { PeerOption.Required, references, only };
        command.SetAction(result =>
        {
            Peer peer = new(result.GetValue(PeerOption.Required)!);
            string[] names = result.GetValue(only) ?? [];
            Console.WriteLine("| model | `general.architecture` | exercises | positions | largest logit | largest difference |");
            Console.WriteLine("|---|---|---|--:|--:|--:|");
            foreach (Recipe recipe in Recipes.All.Where(recipe => names.Length == 0 || names.Contains(recipe.Name)))
                Console.WriteLine(Row(recipe, peer, result.GetValue(references)));
        });
        return command;
    }

    private static string Row(Recipe recipe, Peer peer, string? references)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("modellab-");
        try
        {
            string model = Path.Combine(folder.FullName, $"{recipe.Name}.gguf");
            SyntheticFile.Write(model, recipe, GgmlType.F32, ArchitectureReference.KeptSeed);
            float[][] expected = peer.Logits(model, ProbePrompt.Tokens);
            if (references is not null)
                ArchitectureReference.Make(recipe, model, expected).Save(Path.Combine(Directory.CreateDirectory(references).FullName, $"{recipe.Name}.json"));
            string limit = recipe.PeerLimit is null ? "" : $" ({recipe.PeerLimit})";
            float largest = expected.Take(recipe.PeerPositions).SelectMany(row => row).Max(MathF.Abs);
            return string.Create(CultureInfo.InvariantCulture, $"| {recipe.Name} | `{recipe.Architecture}` | {recipe.Exercises}{limit} | {recipe.PeerPositions} | {largest:F1} | {Distance(model, recipe, expected)} |");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Distance(string model, Recipe recipe, float[][] expected)
    {
        try
        {
            using ModelRun ours = new(model);
            float[][] logits = ours.Logits(ProbePrompt.Tokens);
            float distance = Enumerable.Range(0, recipe.PeerPositions).SelectMany(i => logits[i].Zip(expected[i], (a, b) => MathF.Abs(a - b))).Max();
            return distance.ToString("0.0e+0", CultureInfo.InvariantCulture);
        }
        catch (Exception problem) when (problem is ModelFormatException or ComputeException)
        {
            return $"not run: {problem.Message.Replace(model, recipe.Name, StringComparison.Ordinal)}";
        }
    }
}
