using System.Buffers.Binary;

namespace KwaaiNet.Fuzz.Mutation;

/// <summary>Makes damaged inputs of valid ones: bits, numbers, cuts, repeats, parts of another input, words of the format, deep nesting.</summary>
/// <param name="random">Decides everything, so that a seed repeats a run.</param>
/// <param name="words">Words of the format worth putting anywhere.</param>
internal sealed class Mutator(FuzzRandom random, IReadOnlyList<byte[]> words)
{
    /// <summary>No input grows beyond this many bytes.</summary>
    public const int MaximumLength = 1 << 16;

    private const int MostChanges = 6;

    /// <summary>Where sizes and their limits change sign, width or meaning.</summary>
    private static readonly ulong[] s_numbers =
    [
        0, 1, 2, 3, 4, 7, 8, 12, 13, 31, 32, 63, 64, 65, 127, 128, 255, 256, 257, 1000, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x1_0001, 1 << 20, (1 << 20) + 1,
        1 << 24, (1 << 24) + 1, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_0001, 1UL << 40, 1UL << 60, 1UL << 61,
        1UL << 62, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFE0, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    /// <summary>A damaged copy of <paramref name="seed"/>.</summary>
    /// <param name="seed">What is damaged.</param>
    /// <param name="other">What parts are taken from.</param>
    public byte[] Mutate(FuzzSeed seed, FuzzSeed other)
    {
        byte[] bytes = seed.Bytes;
        for (int changes = random.Small(bits: 3); changes > 0; changes--)
        {
            bytes = Change(bytes, seed.Fields, other.Bytes);
            if (changes > MostChanges)
                changes = MostChanges;
        }

        return bytes.Length <= MaximumLength ? bytes : bytes[..MaximumLength];
    }

    private byte[] Change(byte[] bytes, IReadOnlyList<int> fields, byte[] other) => random.Below(14) switch
    {
        0 => SetByte(bytes, (byte)(1 << random.Below(8)), xor: true),
        1 => SetByte(bytes, (byte)random.Next(), xor: false),
        2 or 3 or 4 => SetNumber(bytes, fields),
        5 => bytes[..random.Below(bytes.Length + 1)],
        6 => Replace(bytes, random.Below(bytes.Length + 1), random.Small(bits: 8), []),
        7 => Repeat(bytes),
        8 => Replace(bytes, random.Below(bytes.Length + 1), 0, Word()),
        9 => Replace(bytes, random.Below(bytes.Length + 1), random.Small(bits: 5), Word()),
        10 => Splice(bytes, other),
        11 => Replace(bytes, random.Below(bytes.Length + 1), random.Below(2) * random.Small(bits: 6), Part(other)),
        12 => Nest(bytes),
        _ => Replace(bytes, random.Below(bytes.Length + 1), 0, Part(bytes)),
    };

    private byte[] Word() => words.Count == 0 ? [(byte)random.Next()] : random.Pick(words);

    private byte[] SetByte(byte[] bytes, byte value, bool xor)
    {
        if (bytes.Length == 0)
            return [value];
        byte[] changed = [.. bytes];
        ref byte at = ref changed[random.Below(changed.Length)];
        at = xor ? (byte)(at ^ value) : value;
        return changed;
    }

    /// <summary>A number of 1 to 8 bytes becomes one at some limit, or another one nearby; most often a field that the format has.</summary>
    private byte[] SetNumber(byte[] bytes, IReadOnlyList<int> fields)
    {
        int width = 1 << random.Below(4);
        int at = fields.Count > 0 && !random.OneIn(4) ? random.Pick(fields) : random.Below(bytes.Length);
        if (bytes.Length - at < width)
            return bytes;
        byte[] changed = [.. bytes];
        Span<byte> number = stackalloc byte[8];
        number.Clear();
        changed.AsSpan(at, width).CopyTo(number);
        ulong old = BinaryPrimitives.ReadUInt64LittleEndian(number);
        ulong value = random.Below(4) switch
        {
            0 => old + (ulong)random.Small(bits: 5),
            1 => old - (ulong)random.Small(bits: 5),
            2 => (ulong)(bytes.Length - at) + (ulong)random.Below(17) - 8,
            _ => random.Pick(s_numbers),
        };
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        number[..width].CopyTo(changed.AsSpan(at));
        return changed;
    }

    /// <summary>A part stands there many times over.</summary>
    private byte[] Repeat(byte[] bytes)
    {
        byte[] part = Part(bytes);
        int times = Math.Min(random.Small(bits: 9), (MaximumLength / Math.Max(1, part.Length)) + 1);
        byte[] many = new byte[part.Length * times];
        for (int i = 0; i < times; i++)
            part.CopyTo(many, i * part.Length);
        return Replace(bytes, random.Below(bytes.Length + 1), 0, many);
    }

    /// <summary>A word before and another after a place, each several hundred times: brackets in brackets.</summary>
    private byte[] Nest(byte[] bytes)
    {
        int times = random.Small(bits: 9);
        int at = random.Below(bytes.Length + 1);
        byte[] open = Word();
        byte[] close = Word();
        List<byte> nested = [.. bytes.AsSpan(0, at)];
        for (int i = 0; i < times && nested.Count < MaximumLength; i++)
            nested.AddRange(open);
        int middle = random.Below(bytes.Length - at + 1);
        nested.AddRange(bytes.AsSpan(at, middle));
        for (int i = 0; i < times && nested.Count < MaximumLength; i++)
            nested.AddRange(close);
        nested.AddRange(bytes.AsSpan(at + middle));
        return [.. nested];
    }

    private byte[] Splice(byte[] bytes, byte[] other) =>
        [.. bytes.AsSpan(0, random.Below(bytes.Length + 1)), .. other.AsSpan(random.Below(other.Length + 1))];

    private byte[] Part(byte[] bytes)
    {
        int start = random.Below(bytes.Length);
        return bytes[start..Math.Min(bytes.Length, start + random.Small(bits: 8))];
    }

    private static byte[] Replace(byte[] bytes, int at, int length, byte[] part) =>
        [.. bytes.AsSpan(0, at), .. part, .. bytes.AsSpan(Math.Min(bytes.Length, at + length))];
}
