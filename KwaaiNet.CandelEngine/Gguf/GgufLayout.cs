using System.Numerics;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>What a GGUF file's header says about where things lie, read from the file's first bytes alone: the rest may still be on another machine.</summary>
/// <remarks>
/// For who transports a file or parts of it. Who computes with it opens it (<see cref="GgufFile"/>), which checks more.
/// The format stands above <see cref="GgufWriter"/>; versions 2 and 3 differ only in what this engine does not read.
/// </remarks>
public sealed class GgufLayout
{
    private GgufLayout(
        uint version, int metadataCount, byte[] metadata, int alignment, long dataStart, Dictionary<string, GgufValue> values, List<GgufTensorPlace> tensors)
    {
        Version = version;
        MetadataCount = metadataCount;
        Metadata = metadata;
        Alignment = alignment;
        DataStart = dataStart;
        Values = values;
        Tensors = tensors;
    }

    /// <summary>The format's version, 2 or 3.</summary>
    public uint Version { get; }

    /// <summary>Number of metadata values.</summary>
    public int MetadataCount { get; }

    /// <summary>The metadata as it stands in the file: keys, types, values.</summary>
    public ReadOnlyMemory<byte> Metadata { get; }

    /// <summary>Every tensor starts at a multiple of this, counted from <see cref="DataStart"/>.</summary>
    public int Alignment { get; }

    /// <summary>Where tensor data starts, in bytes from the start of the file.</summary>
    public long DataStart { get; }

    /// <summary>The metadata's values by key, without the arrays.</summary>
    public IReadOnlyDictionary<string, GgufValue> Values { get; }

    /// <summary>All tensors, in the header's order.</summary>
    public IReadOnlyList<GgufTensorPlace> Tensors { get; }

    /// <summary>The architecture's name; null when the header has none.</summary>
    public string? Architecture => Values.TryGetValue("general.architecture", out GgufValue value) ? value.AsString() : null;

    /// <summary>Transformer blocks; null when the header does not say.</summary>
    public int? BlockCount => Integer($"{Architecture}.block_count");

    /// <summary>How many files the model is split into; 1 when it is not.</summary>
    public int SplitCount => Math.Max(1, Integer("split.count") ?? 1);

    /// <summary>The type in which most numbers are stored.</summary>
    public string WeightFormat => Tensors.Count == 0
        ? "none"
        : Tensors.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => tensor.Shape.Aggregate(1.0, (product, length) => product * length)))!.Key.ToString();

    /// <summary>Reads the header from a file's first bytes.</summary>
    /// <param name="start">The file's first bytes, any number of them.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <returns>The layout; null when the header goes on beyond <paramref name="start"/>.</returns>
    /// <exception cref="ModelFormatException">The bytes are no GGUF header, or the header lies about itself.</exception>
    public static GgufLayout? TryRead(ReadOnlySpan<byte> start, string name)
    {
        GgufBytes bytes = new(start, name);
        if (!bytes.Has(4)) return null;
        if (!bytes.Take(4).SequenceEqual("GGUF"u8))
            throw new ModelFormatException($"{name}: not a GGUF file: it does not start with the letters GGUF.");
        if (!bytes.Has(sizeof(uint) + (2 * sizeof(ulong)))) return null;
        uint version = bytes.UInt32();
        if (version is not (2 or 3))
            throw new ModelFormatException($"{name}: GGUF version {version}; versions 2 and 3 can be read. Take a newer conversion of the model.");
        int tensorCount = bytes.Count("tensors");
        int metadataCount = bytes.Count("metadata values");

        int metadataStart = bytes.Position;
        Dictionary<string, GgufValue> values = new(StringComparer.Ordinal);
        for (int i = 0; i < metadataCount; i++)
        {
            if (!bytes.TryString(out string? key) || !bytes.TryValue(key, values)) return null;
        }

        byte[] metadata = start[metadataStart..bytes.Position].ToArray();
        int alignment = values.TryGetValue("general.alignment", out GgufValue given) ? (int)Math.Clamp(given.AsInteger() ?? -1, -1, int.MaxValue) : 32;
        if (alignment is < 8 or > 1 << 20 || !BitOperations.IsPow2(alignment))
            throw bytes.Problem($"the alignment is {alignment}, which is no power of two from 8 to {1 << 20}");

        List<GgufTensorPlace> tensors = [];
        for (int i = 0; i < tensorCount; i++)
        {
            if (bytes.TryTensor(alignment) is not { } tensor) return null;
            tensors.Add(tensor);
        }

        long dataStart = ((long)bytes.Position + alignment - 1) & ~(alignment - 1L);
        return new GgufLayout(version, metadataCount, metadata, alignment, dataStart, values, [.. tensors.Select(tensor => tensor with { Offset = checked(dataStart + tensor.Offset) })]);
    }

    private int? Integer(string key) => Values.TryGetValue(key, out GgufValue value) && value.AsInteger() is >= 0 and <= int.MaxValue and long number ? (int)number : null;
}
