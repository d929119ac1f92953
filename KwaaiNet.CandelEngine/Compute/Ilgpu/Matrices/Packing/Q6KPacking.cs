using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Q6_K to <see cref="Q6KTiles"/>.</summary>
internal readonly unsafe struct Q6KPacking : ITilePacking<Q6KTiles>
{
    private const int BlockBytes = 210;
    private const int Pairs = 0x03030303;
    private const int SignBits = 0x02020202; // n − 32 in two's complement is n with its upper bit turned

    public static int[] PlaneBytes(int blocks) => [512 * blocks, 256 * blocks, 512 * Chunks.Count(blocks), 64 * Chunks.Count(blocks)];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        int* quads = planes.Plane<int>(0);
        int q = r >> 3;
        for (int chunk = 0; chunk < columns / 256; chunk++, row += BlockBytes)
        {
            int slot = NibbleWords.Slot(chunk, r);
            planes.Plane<ushort>(3)[slot] = Unsafe.ReadUnaligned<ushort>(row + 208);
            new ReadOnlySpan<byte>(row + 192, 16).CopyTo(new Span<byte>(planes.Plane<byte>(2) + (16 * slot), 16));
            for (int group = 0; group < 8; group++)
            {
                int block = (8 * chunk) + group;
                int half = group / 4;
                int quarter = group % 4;
                NibbleWords.Write(row + (64 * half) + (quarter % 2 * 32), quarter / 2 * 4, NibbleWords.Quads(quads, block, r));
                byte* source = row + 128 + (32 * half);
                int* uppers = planes.Plane<int>(1) + (((block * 32) + ((r & 7) * 4)) * 2) + (q >> 1);
                for (int i = 0; i < 4; i++)
                {
                    int first = ((Unsafe.ReadUnaligned<int>(source + (4 * i)) >> (2 * quarter)) & Pairs) ^ SignBits;
                    int second = ((Unsafe.ReadUnaligned<int>(source + 16 + (4 * i)) >> (2 * quarter)) & Pairs) ^ SignBits;
                    uppers[2 * i] |= (first | (second << 2)) << (4 * (q & 1));
                }
            }
        }
    }

    public static Q6KTiles Bind(in DevicePlanes planes, int blocks) =>
        new(planes.Plane<Quad>(0), planes.Plane<Duo>(1), planes.Plane<Quad>(2), planes.Plane<ushort>(3), blocks);
}
