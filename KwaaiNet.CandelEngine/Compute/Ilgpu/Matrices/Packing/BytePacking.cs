using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;
using KwaaiNet.CandelEngine.Quantization.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Types of a binary16 scale and numbers that fit in a byte, as <see cref="Q8Tiles"/>: no bit is lost, and no kernel more is needed.</summary>
internal static unsafe class BytePacking
{
    internal static int[] PlaneBytes(int blocks) => [1024 * blocks, 512 * Chunks.Count(blocks)];

    /// <summary>Writes a block of a row.</summary>
    /// <param name="numbers">Its 32 numbers.</param>
    /// <param name="scale">The binary16 they are multiplied by.</param>
    /// <param name="block">The block.</param>
    /// <param name="r">The row's number in its tile.</param>
    /// <param name="planes">The tile's planes.</param>
    internal static void Write(sbyte* numbers, ushort scale, int block, int r, in TilePlanes planes)
    {
        int* first = NibbleWords.Quads(planes.Plane<int>(0), 2 * block, r);
        int* second = NibbleWords.Quads(planes.Plane<int>(0), (2 * block) + 1, r);
        for (int i = 0; i < 4; i++)
        {
            first[4 * i] = Unsafe.ReadUnaligned<int>(numbers + (4 * i));
            second[4 * i] = Unsafe.ReadUnaligned<int>(numbers + 16 + (4 * i));
        }

        planes.Plane<ushort>(1)[(NibbleWords.Slot(block / 8, r) * 8) + (block % 8)] = scale;
    }

    internal static Q8Tiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), planes.Plane<Quad>(1), blocks);
}

/// <summary>Q8_0 to <see cref="Q8Tiles"/>.</summary>
internal readonly unsafe struct Q8Packing : ITilePacking<Q8Tiles>
{
    private const int BlockBytes = 34;

    public static int[] PlaneBytes(int blocks) => BytePacking.PlaneBytes(blocks);

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        for (int block = 0; block < columns / 32; block++, row += BlockBytes)
            BytePacking.Write((sbyte*)row + 2, Unsafe.ReadUnaligned<ushort>(row), block, r, planes);
    }

    public static Q8Tiles Bind(in DevicePlanes planes, int blocks) => BytePacking.Bind(planes, blocks);
}

/// <summary>Q5_0 to <see cref="Q8Tiles"/>.</summary>
internal readonly unsafe struct Q5Packing : ITilePacking<Q8Tiles>
{
    private const int BlockBytes = 22;

    public static int[] PlaneBytes(int blocks) => BytePacking.PlaneBytes(blocks);

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        sbyte* numbers = stackalloc sbyte[32];
        for (int block = 0; block < columns / 32; block++, row += BlockBytes)
        {
            uint fifths = Unsafe.ReadUnaligned<uint>(row + 2);
            for (int j = 0; j < 16; j++)
            {
                numbers[j] = (sbyte)(((row[6 + j] & 15) | ((int)((fifths >> j) & 1) << 4)) - 16);
                numbers[j + 16] = (sbyte)(((row[6 + j] >> 4) | ((int)((fifths >> (j + 16)) & 1) << 4)) - 16);
            }

            BytePacking.Write(numbers, Unsafe.ReadUnaligned<ushort>(row), block, r, planes);
        }
    }

    public static Q8Tiles Bind(in DevicePlanes planes, int blocks) => BytePacking.Bind(planes, blocks);
}

/// <summary>IQ4_NL to <see cref="Q8Tiles"/>.</summary>
internal readonly unsafe struct TablePacking : ITilePacking<Q8Tiles>
{
    private const int BlockBytes = 18;

    public static int[] PlaneBytes(int blocks) => BytePacking.PlaneBytes(blocks);

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        sbyte* numbers = stackalloc sbyte[32];
        for (int block = 0; block < columns / 32; block++, row += BlockBytes)
        {
            for (int j = 0; j < 16; j++)
            {
                numbers[j] = IQ4_NL.Table[row[2 + j] & 15];
                numbers[j + 16] = IQ4_NL.Table[row[2 + j] >> 4];
            }

            BytePacking.Write(numbers, Unsafe.ReadUnaligned<ushort>(row), block, r, planes);
        }
    }

    public static Q8Tiles Bind(in DevicePlanes planes, int blocks) => BytePacking.Bind(planes, blocks);
}
