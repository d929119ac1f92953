using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>A llama of random weights in a file: 6 blocks, width 32. Real blocks on a real backend, in milliseconds.</summary>
internal static class TinyModel
{
    public const int Blocks = 6;
    public const int Vocabulary = 64;
    public const int Context = 128;

    private const int Width = 32;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int HeadSize = 8;
    private const int FeedForward = 64;

    private static readonly Lazy<string> s_path = new(Write);

    /// <summary>The file, written once a process.</summary>
    public static string Path => s_path.Value;

    private static string Write()
    {
        string path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"kwaainet-tiny-{Environment.ProcessId}-{Guid.NewGuid():N}.gguf");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Delete(path);
        using GgufWriter writer = new(File.Create(path));
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "tiny");
        writer.Add("llama.block_count", (uint)Blocks);
        writer.Add("llama.embedding_length", (uint)Width);
        writer.Add("llama.attention.head_count", (uint)Heads);
        writer.Add("llama.attention.head_count_kv", (uint)KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.feed_forward_length", (uint)FeedForward);
        writer.Add("llama.context_length", (uint)Context);
        writer.Add("llama.rope.dimension_count", (uint)HeadSize);
        writer.Add("llama.vocab_size", (uint)Vocabulary);

        List<(string Name, int Rows, int Columns)> tensors = [("token_embd.weight", Vocabulary, Width)];
        for (int block = 0; block < Blocks; block++)
        {
            tensors.Add(($"blk.{block}.attn_norm.weight", 1, Width));
            tensors.Add(($"blk.{block}.attn_q.weight", Heads * HeadSize, Width));
            tensors.Add(($"blk.{block}.attn_k.weight", KvHeads * HeadSize, Width));
            tensors.Add(($"blk.{block}.attn_v.weight", KvHeads * HeadSize, Width));
            tensors.Add(($"blk.{block}.attn_output.weight", Width, Heads * HeadSize));
            tensors.Add(($"blk.{block}.ffn_norm.weight", 1, Width));
            tensors.Add(($"blk.{block}.ffn_gate.weight", FeedForward, Width));
            tensors.Add(($"blk.{block}.ffn_up.weight", FeedForward, Width));
            tensors.Add(($"blk.{block}.ffn_down.weight", Width, FeedForward));
        }

        tensors.Add(("output_norm.weight", 1, Width));
        foreach ((string name, int rows, int columns) in tensors) writer.AddTensor(name, rows == 1 ? [columns] : [columns, rows], GgmlType.F32);

        Random random = new(20261122);
        foreach ((string name, int rows, int columns) in tensors)
        {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = rows == 1 ? 0.5f + random.NextSingle() : (random.NextSingle() - 0.5f) * 6 / MathF.Sqrt(columns);
            }

            writer.WriteTensor(name, MemoryMarshal.AsBytes<float>(values));
        }

        writer.Finish();
        return path;
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (IOException)
        {
            // Still mapped on Windows when the process ends in the middle of a test; the system's temporary folder is its place.
        }
    }
}
