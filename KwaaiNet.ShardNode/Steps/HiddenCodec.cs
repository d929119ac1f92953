using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.ShardNode.Steps;

/// <summary>Hidden states as they travel: raw little-endian numbers in the session's format.</summary>
internal static class HiddenCodec
{
    /// <summary>Bytes one number takes.</summary>
    public static int BytesPerNumber(HiddenFormat format) => format == HiddenFormat.F16 ? 2 : 4;

    /// <summary>Writes rows for the wire. <paramref name="destination"/> has <see cref="BytesPerNumber"/> bytes for every number.</summary>
    public static void Encode(ReadOnlySpan<float> numbers, HiddenFormat format, Span<byte> destination)
    {
        if (format == HiddenFormat.F16)
        {
            Span<Half> halves = MemoryMarshal.Cast<byte, Half>(destination);
            TensorPrimitives.ConvertToHalf(numbers, halves);
            SwapOnBigEndian(MemoryMarshal.Cast<byte, ushort>(destination));
            return;
        }

        MemoryMarshal.AsBytes(numbers).CopyTo(destination);
        SwapOnBigEndian(MemoryMarshal.Cast<byte, uint>(destination));
    }

    /// <summary>Reads rows from the wire; the bytes have been checked to be <see cref="BytesPerNumber"/> for every number.</summary>
    public static void Decode(ReadOnlySpan<byte> source, HiddenFormat format, Span<float> numbers)
    {
        if (format == HiddenFormat.F16)
        {
            ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(source);
            if (BitConverter.IsLittleEndian)
            {
                TensorPrimitives.ConvertToSingle(halves, numbers);
                return;
            }

            for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
            return;
        }

        source.CopyTo(MemoryMarshal.AsBytes(numbers));
        SwapOnBigEndian(MemoryMarshal.Cast<float, uint>(numbers));
    }

    /// <summary>Whether no number is an infinity or a NaN: all exponent bits set, in either format.</summary>
    public static bool IsFinite(ReadOnlySpan<byte> source, HiddenFormat format)
    {
        if (format == HiddenFormat.F16)
        {
            foreach (ushort bits in MemoryMarshal.Cast<byte, ushort>(source))
            {
                ushort little = BitConverter.IsLittleEndian ? bits : BinaryPrimitives.ReverseEndianness(bits);
                if ((little & 0x7C00) == 0x7C00) return false;
            }

            return true;
        }

        foreach (uint bits in MemoryMarshal.Cast<byte, uint>(source))
        {
            uint little = BitConverter.IsLittleEndian ? bits : BinaryPrimitives.ReverseEndianness(bits);
            if ((little & 0x7F80_0000) == 0x7F80_0000) return false;
        }

        return true;
    }

    /// <summary>Reads little-endian token ids.</summary>
    public static void DecodeTokens(ReadOnlySpan<byte> source, Span<int> tokens)
    {
        for (int i = 0; i < tokens.Length; i++) tokens[i] = BinaryPrimitives.ReadInt32LittleEndian(source[(sizeof(int) * i)..]);
    }

    private static void SwapOnBigEndian(Span<ushort> numbers)
    {
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(numbers, numbers);
    }

    private static void SwapOnBigEndian(Span<uint> numbers)
    {
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(numbers, numbers);
    }
}
