using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Q4_K to <see cref="Q4KTiles"/>.</summary>
internal readonly unsafe struct Q4KPacking : ITilePacking<Q4KTiles>
{
    private const int BlockBytes = 144;

    public static int[] PlaneBytes(int blocks) => [512 * blocks, 512 * Chunks.Count(blocks), 128 * Chunks.Count(blocks)];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        int* quads = planes.Plane<int>(0);
        for (int chunk = 0; chunk < columns / 256; chunk++, row += BlockBytes)
        {
            int slot = NibbleWords.Slot(chunk, r);
            planes.Plane<int>(2)[slot] = Unsafe.ReadUnaligned<int>(row);
            KScalePacking.Write(row + 4, planes.Plane<byte>(1) + (16 * slot));
            for (int group = 0; group < 8; group++)
                NibbleWords.Write(row + 16 + (group / 2 * 32), group % 2 * 4, NibbleWords.Quads(quads, (8 * chunk) + group, r));
        }
    }

    public static Q4KTiles Bind(in DevicePlanes planes, int blocks) =>
        new(planes.Plane<Quad>(0), planes.Plane<Quad>(1), planes.Plane<int>(2), blocks);
}
