using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Quantization;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A small llama of random weights in a GGUF file: 4 blocks, width 64, 4 query heads on 2 key/value heads.</summary>
internal sealed class SyntheticModel : IDisposable
{
    public const int Blocks = 4;
    public const int Width = 64;
    public const int Heads = 4;
    public const int KvHeads = 2;
    public const int HeadSize = 16;
    public const int Vocabulary = 101;
    public const int Context = 160;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"kwaainet-{Guid.NewGuid():N}.gguf");

    public SyntheticModel(GgmlType type, bool tied = true, bool ropeDivisors = false, int seed = 20260801)
    {
        Type = type;

        // A feed-forward width that is no multiple of 32 exercises tails; quantised rows cannot have one.
        int feedForward = type is GgmlType.F32 or GgmlType.F16 ? 107 : 96;
        using (GgufWriter writer = new(System.IO.File.Create(_path)))
            Write(writer, type, tied, ropeDivisors, feedForward, new Random(seed));
        File = ModelFile.Open(_path);
    }

    public GgmlType Type { get; }

    public ModelFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(_path);
    }

    private static void Write(GgufWriter writer, GgmlType type, bool tied, bool ropeDivisors, int feedForward, Random random)
    {
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "synthetic");
        writer.Add("llama.block_count", (uint)Blocks);
        writer.Add("llama.embedding_length", (uint)Width);
        writer.Add("llama.attention.head_count", (uint)Heads);
        writer.Add("llama.attention.head_count_kv", (uint)KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.feed_forward_length", (uint)feedForward);
        writer.Add("llama.context_length", (uint)Context);
        writer.Add("llama.rope.freq_base", 10_000f);
        writer.Add("llama.rope.dimension_count", (uint)HeadSize);
        writer.Add("llama.vocab_size", (uint)Vocabulary);

        List<(string Name, int Rows, int Columns)> tensors = [("token_embd.weight", Vocabulary, Width)];
        for (int b = 0; b < Blocks; b++)
        {
            tensors.Add(($"blk.{b}.attn_norm.weight", 1, Width));
            tensors.Add(($"blk.{b}.attn_q.weight", Heads * HeadSize, Width));
            tensors.Add(($"blk.{b}.attn_k.weight", KvHeads * HeadSize, Width));
            tensors.Add(($"blk.{b}.attn_v.weight", KvHeads * HeadSize, Width));
            tensors.Add(($"blk.{b}.attn_output.weight", Width, Heads * HeadSize));
            tensors.Add(($"blk.{b}.ffn_norm.weight", 1, Width));
            tensors.Add(($"blk.{b}.ffn_gate.weight", feedForward, Width));
            tensors.Add(($"blk.{b}.ffn_up.weight", feedForward, Width));
            tensors.Add(($"blk.{b}.ffn_down.weight", Width, feedForward));
        }

        tensors.Add(("output_norm.weight", 1, Width));
        if (!tied) tensors.Add(("output.weight", Vocabulary, Width));

        if (ropeDivisors) tensors.Add(("rope_freqs.weight", 1, HeadSize / 2));

        foreach ((string name, int rows, int columns) in tensors)
        {
            if (rows == 1) writer.AddTensor(name, [columns], GgmlType.F32);
            else writer.AddTensor(name, [columns, rows], type);
        }

        foreach ((string name, int rows, int columns) in tensors)
        {
            var values = new float[rows * columns];
            for (int i = 0; i < values.Length; i++)
                values[i] = rows == 1 ? 0.5f + random.NextSingle() : (float)(Normal(random) * 1.5 / Math.Sqrt(columns));
            writer.WriteTensor(name, rows == 1 ? MemoryMarshal.AsBytes<float>(values) : Encode(type, values));
        }

        writer.Finish();
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    internal static byte[] Encode(GgmlType type, float[] values)
    {
        var bytes = new byte[values.Length / type.BlockLength() * type.BlockBytes()];
        BlockEncoder.Encode(type, values, bytes);
        return bytes;
    }
}
