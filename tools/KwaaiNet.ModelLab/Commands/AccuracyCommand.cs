using System.CommandLine;
using System.Globalization;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>accuracy</c>: what each tensor type does to a model; the table of <c>docs/accuracy.md</c>.</summary>
internal static class AccuracyCommand
{
    public static Command Create()
    {
        Argument<string> model = new("model") { Description = "A GGUF model with trained weights; its own are taken as exact." };
        Option<int> tokens = new("--tokens") { Description = "Positions to compare, at least.", DefaultValueFactory = _ => 1024 };
        Option<GgmlType[]> only = new("--only") { Description = "Types to take; all that fit the model by default.", AllowMultipleArgumentsPerToken = true };

        Command command = new("accuracy", "Quantise a model to every type and print what it costs: bits, error of the weights, divergence.") { model, tokens, only, PeerOption.Optional };
        command.SetAction(result =>
        {
            GgmlType[] types = result.GetValue(only) is { Length: > 0 } named ? named : Enum.GetValues<GgmlType>();
            Peer? peer = result.GetValue(PeerOption.Optional) is { } program ? new Peer(program) : null;
            DirectoryInfo folder = Directory.CreateTempSubdirectory("modellab-");
            try
            {
                Print(new AccuracyRun(result.GetValue(model)!, folder.FullName, result.GetValue(tokens)), types, peer);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    private static void Print(AccuracyRun run, GgmlType[] types, Peer? peer)
    {
        string theirs = peer is null ? "" : " llama.cpp's error | llama.cpp's mean KL |";
        Console.WriteLine($"| type | bits a weight | weights' RMS error | mean KL | 99 % below | worst | same best token | mean KL / error² |{theirs}");
        Console.WriteLine($"|---|--:|--:|--:|--:|--:|--:|--:|{(peer is null ? "" : "--:|--:|")}");
        foreach (GgmlType type in types.Where(type => type != GgmlType.F32).OrderByDescending(type => (double)type.BlockBytes() / type.BlockLength()).ThenBy(type => type))
        {
            try
            {
                (WeightError error, Divergence divergence) = run.Measure(type);
                string ratio = error.Relative == 0 ? "–" : (divergence.Mean / error.Relative / error.Relative).ToString("F1", CultureInfo.InvariantCulture);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {type} | {error.BitsPerWeight:F2} | {error.Relative:P2} | {divergence.Mean:g3} | {divergence.P99:g3} | {divergence.Max:g3} | {divergence.Agreement:P1} | {ratio} |{Theirs(run, type, peer)}"));
            }
            catch (InvalidDataException)
            {
                continue; // rows that are no whole number of the type's blocks
            }
        }
    }

    private static string Theirs(AccuracyRun run, GgmlType type, Peer? peer) => peer is null
        ? ""
        : run.MeasurePeer(type, peer) is ({ } error, { } divergence)
            ? string.Create(CultureInfo.InvariantCulture, $" {error.Relative:P2} | {divergence.Mean:g3} |")
            : " – | – |";
}
