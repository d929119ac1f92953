using System.Buffers.Binary;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>What opening a GGUF file may allocate besides twice its length.</summary>
/// <remarks>
/// A value takes 13 bytes of a file at least and a tensor's description 32; a string object, a table's entry and its index take more than
/// twice that, so each that can stand in the file has an allowance. For a model of gigabytes that is nothing; a file of nothing but the
/// smallest values costs seven times its length, and at most 32 MiB, since a header has at most 65,536 of either.
/// </remarks>
internal static class GgufLimits
{
    private const long Constant = 100_000;
    private const int PerValue = 96;
    private const int PerTensor = 256;
    private const int SmallestValue = 13;
    private const int SmallestTensor = 32;

    /// <summary>The allowance for a file.</summary>
    public static long Besides(ReadOnlySpan<byte> file)
    {
        if (file.Length < 24)
            return Constant;
        long tensors = (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(file[8..]), (ulong)(file.Length / SmallestTensor));
        long values = (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(file[16..]), (ulong)(file.Length / SmallestValue));
        return Constant + (values * PerValue) + (tensors * PerTensor);
    }
}
