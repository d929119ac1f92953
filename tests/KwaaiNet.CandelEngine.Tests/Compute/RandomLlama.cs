using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A llama of a random shape and random weights in one storage type, in a temporary GGUF file.</summary>
internal sealed class RandomLlama : IDisposable
{
    public const int Context = 600;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"kwaainet-{Guid.NewGuid():N}.gguf");

    public RandomLlama(GgmlType type, int seed)
    {
        Random random = new(seed);
        int unit = type.BlockLength();
        int width = unit == 1 ? random.Next(3, 40) * 4 : unit * random.Next(1, unit == 256 ? 3 : 6);
        int kvHeads = random.Next(1, 4);
        int heads = kvHeads * random.Next(1, 6);
        int headSize = unit <= 32 ? random.Next(1, 5) * 32 : 256; // rows of the output projection are whole blocks
        int feedForward = unit == 1 ? random.Next(20, 200) : unit * random.Next(1, unit == 256 ? 3 : 8);
        int blocks = random.Next(2, 4);
        int vocabulary = random.Next(40, 150);
        Description = $"{type}, {blocks} blocks, width {width}, heads {heads}/{kvHeads} of {headSize}, feed-forward {feedForward}, vocabulary {vocabulary}, seed {seed}";

        using (GgufWriter writer = new(System.IO.File.Create(_path)))
        {
            writer.Add("general.architecture", "llama");
            writer.Add("general.name", "random");
            Add("block_count", blocks);
            Add("embedding_length", width);
            Add("attention.head_count", heads);
            Add("attention.head_count_kv", kvHeads);
            Add("attention.key_length", headSize);
            Add("attention.value_length", headSize);
            Add("feed_forward_length", feedForward);
            Add("context_length", Context);
            Add("rope.dimension_count", headSize);
            Add("vocab_size", vocabulary);
            writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);

            List<(string Name, int Rows, int Columns)> tensors = [("token_embd.weight", vocabulary, width), ("output_norm.weight", 1, width)];
            for (int b = 0; b < blocks; b++)
            {
                string prefix = $"blk.{b}.";
                tensors.AddRange(
                [
                    (prefix + "attn_norm.weight", 1, width), (prefix + "ffn_norm.weight", 1, width),
                    (prefix + "attn_q.weight", heads * headSize, width), (prefix + "attn_k.weight", kvHeads * headSize, width),
                    (prefix + "attn_v.weight", kvHeads * headSize, width), (prefix + "attn_output.weight", width, heads * headSize),
                    (prefix + "ffn_gate.weight", feedForward, width), (prefix + "ffn_up.weight", feedForward, width), (prefix + "ffn_down.weight", width, feedForward),
                ]);
            }

            foreach ((string name, int rows, int columns) in tensors)
                writer.AddTensor(name, rows == 1 ? [columns] : [columns, rows], rows == 1 ? GgmlType.F32 : type);
            foreach ((string name, int rows, int columns) in tensors)
            {
                float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => rows == 1 ? 0.5f + random.NextSingle() : (random.NextSingle() - 0.5f) * 4 / MathF.Sqrt(columns))];
                writer.WriteTensor(name, rows == 1 ? MemoryMarshal.AsBytes<float>(values) : SyntheticModel.Encode(type, values));
            }

            writer.Finish();

            void Add(string key, int value) => writer.Add($"llama.{key}", (uint)value);
        }

        File = ModelFile.Open(_path);
    }

    /// <summary>Type, shape and seed, for a failure's message.</summary>
    public string Description { get; }

    public ModelFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(_path);
    }
}
