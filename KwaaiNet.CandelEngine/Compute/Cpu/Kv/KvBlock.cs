using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

// A page, for each key/value head, then again for its values (n = PagePositions, s = head size):
//   keys    F32, F16: [s][n] numbers: one number of all positions side by side, so that scores of neighbouring positions are lanes
//           Q8:       [s / 32][n] binary16 scales, then [s][n] signed bytes
//   values  F32, F16: [n][s] numbers
//           Q8:       [n][s / 32] binary16 scales, then [n][s] signed bytes

/// <summary>Keys and values of one session for one block, in pages of <see cref="PagePositions"/> positions.</summary>
/// <param name="Pages">Addresses of the session's pages, <c>[pages of a block, blocks]</c>.</param>
/// <param name="Block">The block, counted among the session's.</param>
/// <param name="Blocks">The session's blocks.</param>
/// <param name="KvHeads">Key and value heads.</param>
/// <param name="HeadSize">Numbers in a head.</param>
/// <param name="Format">How the numbers are kept; <see cref="KvFormat.Q8"/> only for heads of a multiple of 32.</param>
internal readonly unsafe record struct KvBlock(nint[] Pages, int Block, int Blocks, int KvHeads, int HeadSize, KvFormat Format)
{
    /// <summary>Positions in a page: whole registers of them, so that nothing is read beyond it.</summary>
    internal const int PagePositions = 64;

    private const int ScaledNumbers = 32;
    private const float ByteLevels = 127;

    /// <summary>The format that heads of a size are really kept in.</summary>
    internal static KvFormat Usable(KvFormat wanted, int headSize) => wanted == KvFormat.Q8 && headSize % ScaledNumbers != 0 ? KvFormat.F16 : wanted;

    /// <summary>Bytes that one position's key (or value) of one head takes.</summary>
    internal static int HeadBytes(KvFormat format, int headSize) => format switch
    {
        KvFormat.F32 => headSize * sizeof(float),
        KvFormat.F16 => headSize * sizeof(ushort),
        _ => headSize + (headSize / ScaledNumbers * sizeof(ushort)),
    };

    /// <summary>Bytes that a page takes.</summary>
    internal static long PageBytes(KvFormat format, int kvHeads, int headSize) => 2L * PagePositions * kvHeads * HeadBytes(format, headSize);

    /// <summary>A head's keys in a page.</summary>
    internal byte* Keys(int page, int head) => (byte*)Pages[(page * Blocks) + Block] + ((long)head * PagePositions * HeadBytes(Format, HeadSize));

    /// <summary>A head's values in a page.</summary>
    internal byte* Values(int page, int head) => Keys(page, KvHeads + head);

    /// <summary>Keeps a position's key and value of one head, <c>[HeadSize]</c> each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Keep(int position, int head, float* key, float* value)
    {
        int page = position / PagePositions;
        int at = position % PagePositions;
        const int n = PagePositions;
        byte* keys = Keys(page, head);
        byte* values = Values(page, head);
        switch (Format)
        {
            case KvFormat.F32:
                for (int i = 0; i < HeadSize; i++) ((float*)keys)[(i * n) + at] = key[i];
                new Span<float>(value, HeadSize).CopyTo(new Span<float>((float*)values + (at * HeadSize), HeadSize));
                break;
            case KvFormat.F16:
                for (int i = 0; i < HeadSize; i++) ((Half*)keys)[(i * n) + at] = ToHalf(key[i]);
                Span<Half> halves = new((Half*)values + (at * HeadSize), HeadSize);
                TensorPrimitives.ConvertToHalf(new ReadOnlySpan<float>(value, HeadSize), halves);
                for (int i = 0; i < HeadSize; i++) if (Half.IsInfinity(halves[i])) halves[i] = ToHalf(value[i]);
                break;
            default:
                KeepBytes(keys, values, at, key, value);
                break;
        }
    }

    /// <summary>One number of a kept key, for the plain loops.</summary>
    internal float Key(int position, int head, int i)
    {
        int page = position / PagePositions;
        int at = position % PagePositions;
        const int n = PagePositions;
        byte* keys = Keys(page, head);
        return Format switch
        {
            KvFormat.F32 => ((float*)keys)[(i * n) + at],
            KvFormat.F16 => (float)((Half*)keys)[(i * n) + at],
            _ => (sbyte)keys[(HeadSize / ScaledNumbers * n * sizeof(ushort)) + (i * n) + at] * (float)((Half*)keys)[(i / ScaledNumbers * n) + at],
        };
    }

    /// <summary>One number of a kept value, for the plain loops.</summary>
    internal float Value(int position, int head, int i)
    {
        int page = position / PagePositions;
        int at = position % PagePositions;
        byte* values = Values(page, head);
        int scales = HeadSize / ScaledNumbers;
        return Format switch
        {
            KvFormat.F32 => ((float*)values)[(at * HeadSize) + i],
            KvFormat.F16 => (float)((Half*)values)[(at * HeadSize) + i],
            _ => (sbyte)values[(PagePositions * scales * sizeof(ushort)) + (at * HeadSize) + i] * (float)((Half*)values)[(at * scales) + (i / ScaledNumbers)],
        };
    }

    private static Half ToHalf(float value) => (Half)Math.Clamp(value, -65504f, 65504f);

    private void KeepBytes(byte* keys, byte* values, int at, float* key, float* value)
    {
        const int n = PagePositions;
        int scales = HeadSize / ScaledNumbers;
        var keyBytes = (sbyte*)keys + (scales * n * sizeof(ushort));
        var valueBytes = (sbyte*)values + (scales * n * sizeof(ushort)) + (at * HeadSize);
        for (int block = 0; block < scales; block++)
        {
            int first = block * ScaledNumbers;
            (Half keyScale, float keyInverse) = ScaleOf(key + first);
            (Half valueScale, float valueInverse) = ScaleOf(value + first);
            ((Half*)keys)[(block * n) + at] = keyScale;
            ((Half*)values)[(at * scales) + block] = valueScale;
            for (int i = first; i < first + ScaledNumbers; i++)
            {
                keyBytes[(i * n) + at] = ToByte(key[i] * keyInverse);
                valueBytes[i] = ToByte(value[i] * valueInverse);
            }
        }
    }

    // What the largest scale cannot reach saturates, as in binary16; a plain cast would wrap round to another sign.
    private static sbyte ToByte(float steps) => (sbyte)Math.Clamp(MathF.Round(steps), -ByteLevels, ByteLevels);

    private static (Half Scale, float Inverse) ScaleOf(float* numbers)
    {
        float largest = TensorPrimitives.MaxMagnitude(new ReadOnlySpan<float>(numbers, ScaledNumbers));
        largest = Math.Min(MathF.Abs(largest), 65504f * ByteLevels);
        float inverse = ByteLevels / largest;
        return float.IsFinite(inverse) ? ((Half)(largest / ByteLevels), inverse) : (float.IsNaN(largest) ? Half.NaN : Half.Zero, 0);
    }
}
