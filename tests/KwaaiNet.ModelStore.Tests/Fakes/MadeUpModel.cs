using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.ModelStore.Tests.Fakes;

/// <summary>A llama by its header, with made-up weights: of any size, without holding it.</summary>
internal static class MadeUpModel
{
    /// <summary>Makes a model.</summary>
    /// <param name="blocks">Transformer blocks.</param>
    /// <param name="width">Numbers in a hidden state, a multiple of 64.</param>
    /// <param name="feedForward">Width of the feed-forward layer.</param>
    /// <param name="tied">Whether the output matrix is the embedding.</param>
    /// <param name="seed">Which weights.</param>
    public static Content Create(int blocks = 4, int width = 64, int feedForward = 128, bool tied = true, int seed = 1)
    {
        const int Vocabulary = 256;
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "made up");
        writer.Add("llama.block_count", (uint)blocks);
        writer.Add("llama.context_length", 128u);
        writer.Add("llama.embedding_length", (uint)width);
        writer.Add("llama.feed_forward_length", (uint)feedForward);
        writer.Add("llama.attention.head_count", (uint)(width / 32));
        writer.Add("llama.attention.head_count_kv", (uint)(width / 32));
        writer.Add("llama.rope.dimension_count", 32u);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.AddArray("test.words", [.. Enumerable.Range(0, 1000).Select(i => $"word {i}")]);
        writer.AddTensor("token_embd.weight", [width, Vocabulary], GgmlType.F16);
        for (int block = 0; block < blocks; block++)
        {
            string prefix = $"blk.{block}.";
            writer.AddTensor(prefix + "attn_norm.weight", [width], GgmlType.F32);
            foreach (string name in new[] { "attn_q", "attn_k", "attn_v", "attn_output" }) writer.AddTensor($"{prefix}{name}.weight", [width, width], GgmlType.F16);
            writer.AddTensor(prefix + "ffn_norm.weight", [width], GgmlType.F32);
            writer.AddTensor(prefix + "ffn_gate.weight", [width, feedForward], GgmlType.F16);
            writer.AddTensor(prefix + "ffn_up.weight", [width, feedForward], GgmlType.F16);
            writer.AddTensor(prefix + "ffn_down.weight", [feedForward, width], GgmlType.F16);
        }

        writer.AddTensor("output_norm.weight", [width], GgmlType.F32);
        if (!tied) writer.AddTensor("output.weight", [width, Vocabulary], GgmlType.F16);
        writer.WriteTensor("token_embd.weight", []);
        byte[] header = stream.ToArray();
        GgufLayout layout = GgufLayout.TryRead(header, "made up")!;
        return new Content(header, layout.Tensors.Max(tensor => tensor.Offset + tensor.Bytes), seed);
    }

    /// <summary>Its layout.</summary>
    public static GgufLayout LayoutOf(Content content)
    {
        byte[] start = new byte[Math.Min(content.Length, 1 << 20)];
        content.Read(0, start);
        return GgufLayout.TryRead(start, "made up")!;
    }
}
