using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>divergence</c>: how far a model's next-token distributions are from another's.</summary>
internal static class DivergenceCommand
{
    public static Command Create()
    {
        Argument<string> reference = new("reference") { Description = "The model that is right." };
        Argument<string> other = new("other") { Description = "The model to measure; the same vocabulary." };
        Option<int> tokens = new("--tokens") { Description = "Positions to compare, at least.", DefaultValueFactory = _ => 1024 };
        Option<bool> json = new("--json") { Description = "Print one line of JSON." };

        Command command = new("divergence", "Compare two models' next-token distributions on text that the first one draws.") { reference, other, tokens, json };
        command.SetAction(result =>
        {
            using ModelRun right = new(result.GetValue(reference)!);
            using ModelRun measured = new(result.GetValue(other)!);
            Divergence divergence = new();
            foreach (int[] sequence in TokenStream.Draw(right, result.GetValue(tokens)))
                divergence.Add(right.Logits(sequence), measured.Logits(sequence));

            Console.WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(new { divergence.Count, divergence.Mean, divergence.P99, divergence.Max, divergence.Agreement }, JsonSerializerOptions.Web)
                : string.Create(CultureInfo.InvariantCulture, $"{divergence.Count} positions: KL mean {divergence.Mean:g3}, 99 % below {divergence.P99:g3}, worst {divergence.Max:g3} nats; same best token at {divergence.Agreement:P1}"));
        });
        return command;
    }
}
