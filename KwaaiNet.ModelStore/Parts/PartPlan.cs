using System.Buffers.Binary;
using System.Text;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>How a file looks that holds only some blocks of a GGUF: its header, which tensors come from where, and where they go.</summary>
internal sealed class PartPlan
{
    // Two requests cost more than this many bytes that nobody needs.
    private const long SmallGap = 1 << 18;

    private const int DigestBytes = 64;

    private readonly int _digestsAt;

    private PartPlan(byte[] header, int digestsAt, IReadOnlyList<PartTensor> tensors)
    {
        Header = header;
        _digestsAt = digestsAt;
        Tensors = tensors;
        Length = tensors.Count == 0 ? header.Length : tensors[^1].Target + tensors[^1].Padded;
        List<(long From, long End)> runs = [];
        foreach (GgufTensorPlace source in tensors.Select(tensor => tensor.Source))
        {
            if (runs.Count > 0 && source.Offset - runs[^1].End <= SmallGap) runs[^1] = (runs[^1].From, source.Offset + source.Bytes);
            else runs.Add((source.Offset, source.Offset + source.Bytes));
        }

        Runs = runs;
    }

    /// <summary>The file up to its tensors; digests of tensors are zeros as yet.</summary>
    public byte[] Header { get; }

    /// <summary>The tensors, in the order of both files.</summary>
    public IReadOnlyList<PartTensor> Tensors { get; }

    /// <summary>Stretches of the source that hold them, each for one request.</summary>
    public IReadOnlyList<(long From, long End)> Runs { get; }

    /// <summary>The file's size.</summary>
    public long Length { get; }

    /// <summary>Plans a file.</summary>
    /// <param name="layout">The source's layout.</param>
    /// <param name="first">The first block.</param>
    /// <param name="end">One past the last; equal to <paramref name="first"/> for a header only.</param>
    /// <param name="sha256">SHA-256 of the whole source.</param>
    /// <param name="size">Bytes of the whole source.</param>
    /// <param name="name">What <c>kwaainet pull</c> calls the source.</param>
    public static PartPlan Create(GgufLayout layout, int first, int end, string sha256, long size, string name)
    {
        GgufTensorPlace[] held = [.. layout.Tensors.Where(tensor => IsHeld(tensor, layout, first, end)).OrderBy(tensor => tensor.Offset)];
        using MemoryStream keys = new();
        int added = 0;
        Add(GgufPart.SourceSha256Key, GgufValueType.String, () => Text(sha256));
        Add(GgufPart.SourceSizeKey, GgufValueType.UInt64, () => Number64((ulong)size));
        Add(GgufPart.SourceNameKey, GgufValueType.String, () => Text(name));
        Add(GgufPart.FirstBlockKey, GgufValueType.UInt32, () => Number32((uint)first));
        Add(GgufPart.EndBlockKey, GgufValueType.UInt32, () => Number32((uint)end));
        Add(GgufPart.WeightFormatKey, GgufValueType.String, () => Text(layout.WeightFormat));
        string vocabulary = $"{layout.Architecture}.vocab_size";
        if (!layout.Values.ContainsKey(vocabulary) && layout.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight") is { Shape.Count: 2 } embedding)
            Add(vocabulary, GgufValueType.UInt32, () => Number32((uint)embedding.Shape[1]));

        // Last, so that its place is known: digests are filled in when their tensors have come.
        Add(GgufPart.TensorDigestsKey, GgufValueType.Array, () =>
        {
            Number32((uint)GgufValueType.String);
            Number64((ulong)held.Length);
            foreach (GgufTensorPlace _ in held) Text(new string('0', DigestBytes));
        });

        using MemoryStream header = new();
        header.Write("GGUF"u8);
        Write32(header, layout.Version);
        Write64(header, (ulong)held.Length);
        Write64(header, (ulong)(layout.MetadataCount + added));
        header.Write(layout.Metadata.Span);
        keys.WriteTo(header);
        int digestsAt = (int)header.Length - (held.Length * (sizeof(ulong) + DigestBytes));

        long offset = 0;
        List<(GgufTensorPlace Source, long Offset, long Padded)> places = [];
        foreach (GgufTensorPlace source in held)
        {
            WriteText(header, source.Name);
            Write32(header, (uint)source.Shape.Count);
            foreach (long length in source.Shape) Write64(header, (ulong)length);
            Write32(header, (uint)source.Type);
            Write64(header, (ulong)offset);
            long padded = (source.Bytes + layout.Alignment - 1) / layout.Alignment * layout.Alignment;
            places.Add((source, offset, padded));
            offset += padded;
        }

        while (header.Length % layout.Alignment != 0) header.WriteByte(0);
        long start = header.Length;
        return new PartPlan(header.ToArray(), digestsAt, [.. places.Select(place => new PartTensor(place.Source, start + place.Offset, place.Padded))]);

        void Add(string key, GgufValueType type, Action value)
        {
            Text(key);
            Number32((uint)type);
            value();
            added++;
        }

        void Text(string text) => WriteText(keys, text);

        void Number32(uint number) => Write32(keys, number);

        void Number64(ulong number) => Write64(keys, number);
    }

    /// <summary>Where the digest of a tensor stands in the file.</summary>
    public long DigestPosition(int tensor) => _digestsAt + (tensor * (long)(sizeof(ulong) + DigestBytes)) + sizeof(ulong);

    /// <summary>The embedding goes with block 0, the head with the last block (which is the embedding again where both are one matrix), the rest with every block.</summary>
    private static bool IsHeld(GgufTensorPlace tensor, GgufLayout layout, int first, int end)
    {
        if (first == end) return false;
        if (tensor.Block is { } block) return block >= first && block < end;
        bool isLast = end == layout.BlockCount;
        if (tensor.Name.StartsWith("token_embd", StringComparison.Ordinal))
            return first == 0 || (isLast && layout.Tensors.All(other => other.Name != "output.weight"));
        return isLast || !tensor.Name.StartsWith("output", StringComparison.Ordinal);
    }

    private static void Write32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void Write64(Stream stream, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteText(Stream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write64(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }
}
