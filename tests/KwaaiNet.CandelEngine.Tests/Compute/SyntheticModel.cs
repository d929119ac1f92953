using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A small model of random weights in a GGUF file: 4 blocks, width 64, 4 query heads on 2 key/value heads.</summary>
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

    /// <summary>A plain llama.</summary>
    public SyntheticModel(GgmlType type, bool tied = true, bool ropeDivisors = false, int seed = 20260801)
        : this(
            new SyntheticKind("llama", "llama")
            {
                // A feed-forward width that is no multiple of 32 exercises tails; quantised rows cannot have one.
                FeedForward = type is GgmlType.F32 or GgmlType.F16 ? 107 : 96,
                RopeDivisors = ropeDivisors ? ["rope_freqs.weight"] : [],
            },
            type,
            tied,
            seed)
    {
    }

    public SyntheticModel(SyntheticKind kind, GgmlType type = GgmlType.F32, bool tied = true, int seed = 20260801)
    {
        Type = type;
        using (GgufWriter writer = new(System.IO.File.Create(_path)))
            Write(writer, kind, type, tied, new Random(seed));
        File = ModelFile.Open(_path);
    }

    public GgmlType Type { get; }

    public ModelFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(_path);
    }

    private static void Write(GgufWriter writer, SyntheticKind kind, GgmlType type, bool tied, Random random)
    {
        WriteMetadata(writer, kind);
        List<(string Name, int Rows, int Columns, int Slices)> tensors = [("token_embd.weight", Vocabulary, Width, 1)];
        for (int b = 0; b < Blocks; b++)
        {
            string prefix = $"blk.{b}.";
            tensors.AddRange(SyntheticTensors.OfAttention(kind).Concat(SyntheticTensors.OfFeedForward(kind)).Select(t => (prefix + t.Name, t.Rows, t.Columns, t.Slices)));
        }

        tensors.Add(("output_norm.weight", 1, Width, 1));
        if (!tied) tensors.Add(("output.weight", Vocabulary, Width, 1));
        tensors.AddRange(kind.RopeDivisors.Select(name => (name, 1, kind.HeadSize / 2, 1)));

        foreach ((string name, int rows, int columns, int slices) in tensors)
        {
            if (rows == 1) writer.AddTensor(name, [columns], GgmlType.F32);
            else if (slices == 1) writer.AddTensor(name, [columns, rows], type);
            else writer.AddTensor(name, [columns, rows, slices], type);
        }

        foreach ((string name, int rows, int columns, int slices) in tensors)
        {
            var values = new float[rows * columns * slices];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = name.EndsWith(".bias", StringComparison.Ordinal) ? (float)Normal(random) / 3
                    : rows == 1 ? 0.5f + random.NextSingle()
                    : (float)(Normal(random) * 1.5 / Math.Sqrt(columns));
            }

            writer.WriteTensor(name, rows == 1 ? MemoryMarshal.AsBytes<float>(values) : Encode(type, values));
        }

        writer.Finish();
    }

    private static void WriteMetadata(GgufWriter writer, SyntheticKind kind)
    {
        Dictionary<string, object> values = new()
        {
            ["block_count"] = (uint)Blocks,
            ["embedding_length"] = (uint)Width,
            ["attention.head_count"] = (uint)Heads,
            ["attention.head_count_kv"] = (uint)KvHeads,
            ["attention.key_length"] = (uint)kind.HeadSize,
            ["attention.value_length"] = (uint)kind.HeadSize,
            ["attention.layer_norm_rms_epsilon"] = 1e-5f,
            ["feed_forward_length"] = (uint)kind.FeedForward,
            ["context_length"] = (uint)Context,
            ["rope.freq_base"] = 10_000f,
            ["rope.dimension_count"] = (uint)kind.HeadSize,
            ["vocab_size"] = (uint)Vocabulary,
        };
        foreach ((string key, object value) in kind.Metadata) values[key] = value;

        writer.Add("general.architecture", kind.Architecture);
        writer.Add("general.name", "synthetic");
        foreach ((string key, object value) in values)
        {
            string full = $"{kind.Architecture}.{key}";
            switch (value)
            {
                case uint number: writer.Add(full, number); break;
                case float number: writer.Add(full, number); break;
                case string text: writer.Add(full, text); break;
                case bool truth: writer.Add(full, truth); break;
                default: throw new ArgumentException($"{full} is a {value.GetType()}.", nameof(kind));
            }
        }
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
