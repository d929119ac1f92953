using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace KwaaiNet.ModelLab.Conversion;

// The file (llama2.c's legacy export, "version 0"), little-endian:
//
//   i32 width, hidden, blocks, heads, kv heads, vocabulary (negative: the output matrix is not the embedding), context
//   float32, each for all blocks one after another where it says [blocks]:
//     embedding [vocabulary][width]
//     attention norm [blocks][width]
//     queries [blocks][width][width]   keys [blocks][kv width][width]   values [blocks][kv width][width]   output [blocks][width][width]
//     feed-forward norm [blocks][width]
//     gate [blocks][hidden][width]   down [blocks][width][hidden]   up [blocks][hidden][width]
//     final norm [width]
//     RoPE cosines and sines, [context][head / 2] each: not read, they follow from the head's size
//     output matrix [vocabulary][width], where there is one
//
// A head's pairs are neighbours, as in GGUF's llama: nothing is reordered.

/// <summary>A checkpoint of Andrej Karpathy's llama2.c: header and float32 weights.</summary>
/// <remarks>https://github.com/karpathy/llama2.c, <c>export.py</c> (<c>legacy_export</c>).</remarks>
internal sealed class Llama2cCheckpoint
{
    private const int HeaderBytes = 7 * sizeof(int);
    private const int Limit = 1 << 20; // no dimension of a real checkpoint comes near: a file that says more is none

    private readonly byte[] _bytes;
    private readonly Dictionary<string, (long Offset, long[] Shape)> _tensors = [];
    private readonly List<string> _names = [];

    private Llama2cCheckpoint(byte[] bytes, int[] header)
    {
        _bytes = bytes;
        (Width, Hidden, Blocks, Heads, KvHeads, Vocabulary, Context) = (header[0], header[1], header[2], header[3], header[4], Math.Abs(header[5]), header[6]);
        int keys = Width / Heads * KvHeads;
        long at = HeaderBytes;
        Dictionary<string, long> starts = [];
        foreach ((string part, long floats) in new (string, long)[]
        {
            ("embedding", (long)Vocabulary * Width), ("attn_norm", (long)Blocks * Width),
            ("attn_q", (long)Blocks * Width * Width), ("attn_k", (long)Blocks * keys * Width), ("attn_v", (long)Blocks * keys * Width), ("attn_output", (long)Blocks * Width * Width),
            ("ffn_norm", (long)Blocks * Width), ("ffn_gate", (long)Blocks * Hidden * Width), ("ffn_down", (long)Blocks * Width * Hidden), ("ffn_up", (long)Blocks * Hidden * Width),
            ("norm", Width), ("rope", (long)Context * (Width / Heads)), ("output", header[5] < 0 ? (long)Vocabulary * Width : 0),
        })
        {
            starts[part] = at;
            at += floats * sizeof(float);
        }

        Length = at;
        if (at > bytes.Length)
            throw new InvalidDataException($"The checkpoint's dimensions ask for {at} bytes; the file has {bytes.Length}.");

        Add("token_embd.weight", starts["embedding"], [Width, Vocabulary]);
        for (int block = 0; block < Blocks; block++)
        {
            foreach ((string part, long[] shape) in new (string, long[])[]
            {
                ("attn_norm", [Width]), ("attn_q", [Width, Width]), ("attn_k", [Width, keys]), ("attn_v", [Width, keys]), ("attn_output", [Width, Width]),
                ("ffn_norm", [Width]), ("ffn_gate", [Width, Hidden]), ("ffn_down", [Hidden, Width]), ("ffn_up", [Width, Hidden]),
            })
            {
                Add($"blk.{block}.{part}.weight", starts[part] + (block * shape.Aggregate(1L, (product, length) => product * length) * sizeof(float)), shape);
            }
        }

        Add("output_norm.weight", starts["norm"], [Width]);
        if (header[5] < 0)
            Add("output.weight", starts["output"], [Width, Vocabulary]);
    }

    /// <summary>Numbers in a hidden state.</summary>
    public int Width { get; }

    /// <summary>Width of the feed-forward layer.</summary>
    public int Hidden { get; }

    /// <summary>Transformer blocks.</summary>
    public int Blocks { get; }

    /// <summary>Query heads.</summary>
    public int Heads { get; }

    /// <summary>Key and value heads.</summary>
    public int KvHeads { get; }

    /// <summary>Tokens.</summary>
    public int Vocabulary { get; }

    /// <summary>Positions it was trained for.</summary>
    public int Context { get; }

    /// <summary>Bytes of the checkpoint; some packages put the tokenizer behind it in the same file.</summary>
    public long Length { get; }

    /// <summary>Tensors by GGUF's names, in GGUF's usual order.</summary>
    public IReadOnlyList<string> TensorNames => _names;

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The bytes are none.</exception>
    public static Llama2cCheckpoint Read(byte[] bytes)
    {
        if (bytes.Length < HeaderBytes)
            throw new InvalidDataException("The file is too short for a llama2.c checkpoint.");
        int[] header = [.. Enumerable.Range(0, 7).Select(i => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(i * sizeof(int))))];
        if (header.Select((value, i) => i == 5 ? Math.Abs((long)value) : value).Any(value => value is < 1 or > Limit) || header[0] % header[3] != 0 || header[3] % header[4] != 0)
            throw new InvalidDataException($"No llama2.c checkpoint (of the legacy export) starts with {string.Join(", ", header)}.");
        return new Llama2cCheckpoint(bytes, header);
    }

    /// <summary>A tensor's lengths in ggml's order.</summary>
    public long[] ShapeOf(string name) => _tensors[name].Shape;

    /// <summary>A tensor's numbers.</summary>
    public float[] Numbers(string name)
    {
        (long offset, long[] shape) = _tensors[name];
        int bytes = checked((int)(shape.Aggregate(1L, (product, length) => product * length) * sizeof(float)));
        return MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(checked((int)offset), bytes)).ToArray();
    }

    private void Add(string name, long offset, long[] shape)
    {
        _names.Add(name);
        _tensors.Add(name, (offset, shape));
    }
}
