using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Q8_0 to <see cref="Q8Tiles"/>.</summary>
internal readonly unsafe struct Q8Packing : ITilePacking<Q8Tiles>
{
    private const int BlockBytes = 34;

    public static int[] PlaneBytes(int blocks) => [1024 * blocks, 512 * Chunks.Count(blocks)];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        int* quads = planes.Plane<int>(0);
        ushort* scales = planes.Plane<ushort>(1);
        for (int block = 0; block < columns / 32; block++, row += BlockBytes)
        {
            int* first = NibbleWords.Quads(quads, 2 * block, r);
            int* second = NibbleWords.Quads(quads, (2 * block) + 1, r);
            for (int i = 0; i < 4; i++)
            {
                first[4 * i] = Unsafe.ReadUnaligned<int>(row + 2 + (4 * i));
                second[4 * i] = Unsafe.ReadUnaligned<int>(row + 18 + (4 * i));
            }

            scales[(NibbleWords.Slot(block / 8, r) * 8) + (block % 8)] = Unsafe.ReadUnaligned<ushort>(row);
        }
    }

    public static Q8Tiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), planes.Plane<Quad>(1), blocks);
}
