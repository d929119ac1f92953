using System.CommandLine;
using System.Globalization;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>quantize</c>: a model with all its matrices in one type.</summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        Argument<string> input = new("input") { Description = "A GGUF model." };
        Argument<string> output = new("output") { Description = "The GGUF file to write." };
        Argument<GgmlType> type = new("type") { Description = "The type of every matrix, embedding and output among them." };

        Command command = new("quantize", "Write a model anew with all its matrices in one type, and say what it cost them.") { input, output, type };
        command.SetAction(result =>
        {
            WeightError error = QuantizedCopy.Write(result.GetValue(input)!, result.GetValue(output)!, result.GetValue(type));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{error.BitsPerWeight:F2} bits a weight, {error.Relative:P3} RMS error"));
        });
        return command;
    }
}
