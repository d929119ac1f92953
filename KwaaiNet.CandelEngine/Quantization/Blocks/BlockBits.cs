using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Quantization.Blocks;

/// <summary>What block formats have in common: scales in binary16, sign patterns, the packed scales of Q4_K and Q5_K.</summary>
internal static class BlockBits
{
    /// <summary>Numbers that a decoder yields at once.</summary>
    internal const int GroupLength = 32;

    /// <summary>A binary16 as float32. The cast of .NET gives the same numbers; it takes several times as long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Half(ReadOnlySpan<byte> bytes, int at = 0) => Half(UInt16(bytes, at));

    /// <summary>A binary16 as float32: exponent and fraction move up 13 bits and the exponent's bias grows by 112.</summary>
    /// <remarks>
    /// Subnormal ones, below 6.1e-5, are their fraction times 2^-24. Scales of Q4_K to Q6_K are that small in most models, and
    /// arithmetic on a float32 that is itself subnormal, as in correcting the bias by a product, takes a processor some hundred cycles.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Half(int half)
    {
        const int BiasDifference = 112 << 23;
        int magnitude = half & 0x7FFF;
        int bits = (magnitude << 13) + BiasDifference;
        if (magnitude < 0x0400)
            bits = BitConverter.SingleToInt32Bits(magnitude * 5.9604644775390625e-8f); // 2^-24
        else if (magnitude >= 0x7C00)
            bits += BiasDifference; // infinity or NaN
        return BitConverter.Int32BitsToSingle(bits | ((half & 0x8000) << 16));
    }

    /// <summary>Writes a binary16, rounded to nearest even.</summary>
    /// <returns>What was written, as float32.</returns>
    /// <exception cref="QuantizationException">It is beyond ±65504.</exception>
    internal static float WriteHalf(Span<byte> bytes, int at, float value)
    {
        Half half = (Half)value;
        if (!System.Half.IsFinite(half))
            throw new QuantizationException($"The numbers need a binary16 of {value}, which ends at 65504. Store the tensor as BF16 or F32.");
        BinaryPrimitives.WriteHalfLittleEndian(bytes[at..], half);
        return (float)half;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int UInt16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint UInt32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>Eight signs from seven bits: the eighth makes the number of minus signs even.</summary>
    /// <remarks>ggml's table <c>ksigns_iq2xs</c>.</remarks>
    internal static int EvenSigns(int sevenBits) => sevenBits | ((BitOperations.PopCount((uint)sevenBits) & 1) << 7);

    /// <summary>±1 as bit <paramref name="index"/> of <paramref name="signs"/> says. A factor, so that a zero scale gives −0 as ggml's product does.</summary>
    internal static float Sign(int signs, int index) => ((signs >> index) & 1) == 0 ? 1f : -1f;

    // Eight 6-bit scales and eight 6-bit minima in 12 bytes:
    //   bytes 0..3    low 6 bits: scale 0..3     high 2 bits: upper bits of scale 4..7
    //   bytes 4..7    low 6 bits: minimum 0..3   high 2 bits: upper bits of minimum 4..7
    //   bytes 8..11   low nibble: low 4 bits of scale 4..7   high nibble: low 4 bits of minimum 4..7

    /// <summary>The 6-bit scale of a group of Q4_K or Q5_K.</summary>
    /// <param name="packed">The 12 bytes.</param>
    /// <param name="group">0 to 7.</param>
    internal static int PackedScale(ReadOnlySpan<byte> packed, int group) =>
        group < 4 ? packed[group] & 63 : (packed[group + 4] & 15) | ((packed[group - 4] >> 6) << 4);

    /// <summary>The 6-bit minimum of a group of Q4_K or Q5_K.</summary>
    /// <param name="packed">The 12 bytes.</param>
    /// <param name="group">0 to 7.</param>
    internal static int PackedMinimum(ReadOnlySpan<byte> packed, int group) =>
        group < 4 ? packed[group + 4] & 63 : (packed[group + 4] >> 4) | ((packed[group] >> 6) << 4);

    /// <summary>Packs eight 6-bit scales and minima into 12 bytes of zeros.</summary>
    internal static void Pack(Span<byte> packed, ReadOnlySpan<byte> scales, ReadOnlySpan<byte> minima)
    {
        for (int group = 0; group < 4; group++)
        {
            packed[group] = (byte)(scales[group] | ((scales[group + 4] >> 4) << 6));
            packed[group + 4] = (byte)(minima[group] | ((minima[group + 4] >> 4) << 6));
            packed[group + 8] = (byte)((scales[group + 4] & 15) | ((minima[group + 4] & 15) << 4));
        }
    }
}
