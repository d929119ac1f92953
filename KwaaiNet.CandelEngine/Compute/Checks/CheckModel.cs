using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Checks;

/// <summary>A llama of random weights, small enough for a simulator and wide enough for every tensor type, in a temporary file.</summary>
internal sealed class CheckModel : IDisposable
{
    internal const int Blocks = 2;
    internal const int Vocabulary = 256;
    internal const int Context = 64;

    private const int Width = 256;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int FeedForward = 512;
    private const int Seed = 20261128;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"kwaainet-check-{Guid.NewGuid():N}.gguf");

    /// <exception cref="IOException">The system's temporary folder cannot be written.</exception>
    internal CheckModel(GgmlType type)
    {
        try
        {
            using (GgufWriter writer = new(System.IO.File.Create(_path))) Write(writer, type);
            File = ModelFile.Open(_path);
        }
        catch
        {
            System.IO.File.Delete(_path);
            throw;
        }
    }

    internal ModelFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(_path);
    }

    private static void Write(GgufWriter writer, GgmlType type)
    {
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", $"check {type}");
        writer.Add("llama.block_count", (uint)Blocks);
        writer.Add("llama.embedding_length", (uint)Width);
        writer.Add("llama.attention.head_count", (uint)Heads);
        writer.Add("llama.attention.head_count_kv", (uint)KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.feed_forward_length", (uint)FeedForward);
        writer.Add("llama.context_length", (uint)Context);
        writer.Add("llama.rope.dimension_count", (uint)(Width / Heads));
        writer.Add("llama.vocab_size", (uint)Vocabulary);

        int kvWidth = Width / Heads * KvHeads;
        List<(string Name, int Rows, int Columns)> tensors = [("token_embd.weight", Vocabulary, Width)];
        for (int block = 0; block < Blocks; block++)
        {
            string prefix = $"blk.{block}.";
            tensors.AddRange(
            [
                (prefix + "attn_norm.weight", 1, Width),
                (prefix + "attn_q.weight", Width, Width),
                (prefix + "attn_k.weight", kvWidth, Width),
                (prefix + "attn_v.weight", kvWidth, Width),
                (prefix + "attn_output.weight", Width, Width),
                (prefix + "ffn_norm.weight", 1, Width),
                (prefix + "ffn_gate.weight", FeedForward, Width),
                (prefix + "ffn_up.weight", FeedForward, Width),
                (prefix + "ffn_down.weight", Width, FeedForward),
            ]);
        }

        tensors.Add(("output_norm.weight", 1, Width));
        foreach ((string name, int rows, int columns) in tensors) writer.AddTensor(name, rows == 1 ? [columns] : [columns, rows], rows == 1 ? GgmlType.F32 : type);

        Random random = new(Seed);
        foreach ((string name, int rows, int columns) in tensors)
        {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.Length; i++)
                values[i] = rows == 1 ? 0.5f + random.NextSingle() : (random.NextSingle() - 0.5f) * 5 / MathF.Sqrt(columns);

            if (rows == 1)
            {
                writer.WriteTensor(name, MemoryMarshal.AsBytes<float>(values));
                continue;
            }

            byte[] blocks = new byte[values.Length / type.BlockLength() * type.BlockBytes()];
            BlockEncoder.Encode(type, values, blocks);
            writer.WriteTensor(name, blocks);
        }

        writer.Finish();
    }
}
