using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Q4_0 to <see cref="Q4Tiles"/>.</summary>
internal readonly unsafe struct Q4Packing : ITilePacking<Q4Tiles>
{
    private const int BlockBytes = 18;
    private const int SignBits = unchecked((int)0x88888888); // n − 8 in two's complement is n with its upper bit turned

    public static int[] PlaneBytes(int blocks) => [512 * blocks, 512 * Chunks.Count(blocks)];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        int* quads = planes.Plane<int>(0);
        ushort* scales = planes.Plane<ushort>(1);
        for (int block = 0; block < columns / 32; block++, row += BlockBytes)
        {
            int* target = NibbleWords.Quads(quads, block, r);
            for (int i = 0; i < 4; i++) target[4 * i] = Unsafe.ReadUnaligned<int>(row + 2 + (4 * i)) ^ SignBits;
            scales[(NibbleWords.Slot(block / 8, r) * 8) + (block % 8)] = Unsafe.ReadUnaligned<ushort>(row);
        }
    }

    public static Q4Tiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), planes.Plane<Quad>(1), blocks);
}
