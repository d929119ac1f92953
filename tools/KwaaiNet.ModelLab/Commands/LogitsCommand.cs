using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>logits</c>: all logits of a sequence in a file, as the peer program writes llama.cpp's.</summary>
internal static class LogitsCommand
{
    public static Command Create()
    {
        Argument<string> model = new("model") { Description = "A GGUF file." };
        Argument<string> ids = new("ids") { Description = "Token ids, separated by commas." };
        Argument<string> output = new("output") { Description = "The file to write: [ids][vocabulary] float32, little-endian." };

        Command command = new("logits", "Write our logits of a sequence to a file, as peer/peer.cpp writes llama.cpp's.") { model, ids, output };
        command.SetAction(result =>
        {
            int[] tokens = [.. result.GetValue(ids)!.Split(',').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
            using ModelRun run = new(result.GetValue(model)!);
            float[] logits = [.. run.Logits(tokens).SelectMany(row => row)];
            File.WriteAllBytes(result.GetValue(output)!, MemoryMarshal.AsBytes<float>(logits));
        });
        return command;
    }
}
