using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Q5_K to <see cref="Q5KTiles"/>.</summary>
internal readonly unsafe struct Q5KPacking : ITilePacking<Q5KTiles>
{
    private const int BlockBytes = 176;
    private const int Fifth = 0x01010101;

    public static int[] PlaneBytes(int blocks) => [512 * blocks, 128 * blocks, 512 * Chunks.Count(blocks), 128 * Chunks.Count(blocks)];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        int* quads = planes.Plane<int>(0);
        int q = r >> 3;
        for (int chunk = 0; chunk < columns / 256; chunk++, row += BlockBytes)
        {
            int slot = NibbleWords.Slot(chunk, r);
            planes.Plane<int>(3)[slot] = Unsafe.ReadUnaligned<int>(row);
            KScalePacking.Write(row + 4, planes.Plane<byte>(2) + (16 * slot));
            for (int group = 0; group < 8; group++)
            {
                int block = (8 * chunk) + group;
                NibbleWords.Write(row + 48 + (group / 2 * 32), group % 2 * 4, NibbleWords.Quads(quads, block, r));
                int* fifths = planes.Plane<int>(1) + (block * 32) + ((r & 7) * 4);
                for (int i = 0; i < 4; i++)
                {
                    int first = (Unsafe.ReadUnaligned<int>(row + 16 + (4 * i)) >> group) & Fifth;
                    int second = (Unsafe.ReadUnaligned<int>(row + 32 + (4 * i)) >> group) & Fifth;
                    fifths[i] |= (first << (2 * q)) | (second << ((2 * q) + 1));
                }
            }
        }
    }

    public static Q5KTiles Bind(in DevicePlanes planes, int blocks) =>
        new(planes.Plane<Quad>(0), planes.Plane<int>(1), planes.Plane<Quad>(2), planes.Plane<int>(3), blocks);
}
