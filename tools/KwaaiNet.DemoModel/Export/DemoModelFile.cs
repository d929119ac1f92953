using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.DemoModel.Model;
using KwaaiNet.DemoModel.Tokens;
using static TorchSharp.torch;

namespace KwaaiNet.DemoModel.Export;

/// <summary>Writes the trained model as the GGUF that ships in the repository: matrices as Q8_0, norms as F32.</summary>
internal static class DemoModelFile
{
    /// <summary>ChatML. Special tokens frame each message, so nothing that a message says can end it.</summary>
    public const string ChatTemplate =
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private const uint MostlyQ8_0 = 7; // llama.cpp's number for the file type

    public static void Write(string path, Llama model, BytePairVocabulary vocabulary)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using GgufWriter writer = new(File.Create(path));
        AddMetadata(writer, vocabulary);
        foreach ((string name, Tensor weight) in model.Weights)
            writer.AddTensor(name, [.. weight.shape.Reverse()], TypeOf(weight));
        foreach ((string name, Tensor weight) in model.Weights)
            writer.WriteTensor(name, Encode(weight));
        writer.Finish();
    }

    private static GgmlType TypeOf(Tensor weight) => weight.dim() == 1 ? GgmlType.F32 : GgmlType.Q8_0;

    private static byte[] Encode(Tensor weight)
    {
        float[] values = weight.detach().data<float>().ToArray();
        if (TypeOf(weight) == GgmlType.F32)
            return MemoryMarshal.AsBytes<float>(values).ToArray();
        byte[] bytes = new byte[values.Length / GgmlType.Q8_0.BlockLength() * GgmlType.Q8_0.BlockBytes()];
        BlockEncoder.Encode(GgmlType.Q8_0, values, bytes);
        return bytes;
    }

    private static void AddMetadata(GgufWriter writer, BytePairVocabulary vocabulary)
    {
        writer.Add("general.architecture", "llama");
        writer.Add("general.type", "model");
        writer.Add("general.name", ModelShape.Name);
        writer.Add("general.basename", ModelShape.Name);
        writer.Add("general.author", "KwaaiNet contributors");
        writer.Add("general.size_label", "5M");
        writer.Add("general.license", "mit");
        writer.Add("general.description", "A very small chat model about KwaaiNet, trained from nothing by KwaaiNet's own tool, so that a first run needs no download.");
        writer.AddArray("general.languages", ["en"]);
        writer.Add("general.file_type", MostlyQ8_0);
        writer.Add("general.quantization_version", 2u);

        writer.Add("llama.block_count", (uint)ModelShape.Blocks);
        writer.Add("llama.context_length", (uint)ModelShape.Context);
        writer.Add("llama.embedding_length", (uint)ModelShape.Width);
        writer.Add("llama.feed_forward_length", (uint)ModelShape.FeedForward);
        writer.Add("llama.attention.head_count", (uint)ModelShape.Heads);
        writer.Add("llama.attention.head_count_kv", (uint)ModelShape.KeyValueHeads);
        writer.Add("llama.attention.key_length", (uint)ModelShape.HeadSize);
        writer.Add("llama.attention.value_length", (uint)ModelShape.HeadSize);
        writer.Add("llama.attention.layer_norm_rms_epsilon", ModelShape.NormEpsilon);
        writer.Add("llama.rope.dimension_count", (uint)ModelShape.HeadSize);
        writer.Add("llama.rope.freq_base", ModelShape.RopeBase);
        writer.Add("llama.vocab_size", (uint)ModelShape.Vocabulary);

        int[] types = [.. Enumerable.Range(0, vocabulary.Size).Select(id => id < vocabulary.EndOfText ? 1 : 3)]; // 1 normal, 3 control
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", "gpt-2");
        writer.AddArray("tokenizer.ggml.tokens", [.. Enumerable.Range(0, vocabulary.Size).Select(vocabulary.NameOf)]);
        writer.AddArray<int>("tokenizer.ggml.token_type", types);
        writer.AddArray("tokenizer.ggml.merges", [.. vocabulary.Merges.Select(merge => $"{vocabulary.NameOf(merge.Left)} {vocabulary.NameOf(merge.Right)}")]);
        writer.Add("tokenizer.ggml.bos_token_id", (uint)vocabulary.EndOfText);
        writer.Add("tokenizer.ggml.eos_token_id", (uint)vocabulary.MessageEnd);
        writer.Add("tokenizer.ggml.padding_token_id", (uint)vocabulary.EndOfText);
        writer.Add("tokenizer.ggml.add_bos_token", false);
        writer.Add("tokenizer.chat_template", ChatTemplate);
    }
}
