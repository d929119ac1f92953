using System.Buffers.Binary;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

// SentencePiece's normaliser ("precompiled_charsmap"), little-endian:
//
//   uint32    n, the size of the table in bytes
//   uint32[]  the table, a double array: from the node at index i, byte c leads to index i ^ c, where the low 8 bits repeat c
//             bits 10-30 << (bit 9 ? 8 : 0)   what to XOR the index with before the next byte
//             bit 8                            a replacement ends here: it is at that next index, bits 0-30, as an offset below
//   char[]    replacements, UTF-8, each ended by a 0
//
// https://github.com/google/sentencepiece (normalizer.cc), https://github.com/s-yata/darts-clone

/// <summary>Replaces sequences of bytes by others, the longest match first, as SentencePiece normalises text.</summary>
internal sealed class CharacterMap
{
    private readonly uint[] _nodes;
    private readonly byte[] _replacements;

    private CharacterMap(uint[] nodes, byte[] replacements)
    {
        _nodes = nodes;
        _replacements = replacements;
    }

    /// <summary>Reads the map a file holds.</summary>
    /// <param name="vocabulary">For errors.</param>
    /// <param name="map">The file's bytes; empty: nothing is replaced.</param>
    /// <exception cref="Files.ModelFormatException">The sizes do not fit.</exception>
    public static CharacterMap Read(Vocabulary vocabulary, ReadOnlySpan<byte> map)
    {
        if (map.IsEmpty)
            return new CharacterMap([], []);
        uint size = map.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(map) : uint.MaxValue;
        if (size % 4 != 0 || size >= (uint)map.Length - 4)
            throw vocabulary.Problem("'tokenizer.ggml.precompiled_charsmap' says a size that it does not have. The file was written wrongly: take another conversion of the model.");
        uint[] nodes = new uint[size / 4];
        for (int i = 0; i < nodes.Length; i++)
            nodes[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (i * 4))..]);
        return new CharacterMap(nodes, map[(int)(4 + size)..].ToArray());
    }

    /// <summary>Finds what the start of a text is replaced by.</summary>
    /// <param name="text">Bytes.</param>
    /// <param name="replacement">What stands for them.</param>
    /// <returns>How many bytes are replaced; 0: none.</returns>
    public int Match(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        replacement = [];
        int longest = 0;
        uint index = Base(0);
        for (int at = 0; at < text.Length && text[at] != 0; at++)
        {
            index ^= text[at];
            // An index beyond the table is a damaged map's: it matches no further.
            if (index >= _nodes.Length || (_nodes[index] & 0x800000FF) != text[at])
                break;
            bool ends = (_nodes[index] & 0x100) != 0;
            index ^= Base(index);
            if (!ends)
                continue;
            uint offset = index < _nodes.Length ? _nodes[index] & 0x7FFFFFFF : uint.MaxValue;
            if (offset >= _replacements.Length)
                break;
            replacement = _replacements.AsSpan((int)offset);
            int end = replacement.IndexOf((byte)0);
            replacement = end < 0 ? replacement : replacement[..end];
            longest = at + 1;
        }

        return longest;
    }

    private uint Base(uint index)
    {
        uint node = index < _nodes.Length ? _nodes[index] : 0;
        return (node >> 10) << (int)((node & 0x200) >> 6);
    }
}
