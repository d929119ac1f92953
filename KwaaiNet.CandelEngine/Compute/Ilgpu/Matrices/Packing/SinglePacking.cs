using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>F32 to <see cref="SingleTiles"/>.</summary>
internal readonly unsafe struct SinglePacking : ITilePacking<SingleTiles>
{
    public static int[] PlaneBytes(int blocks) => [4096 * blocks];

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        float* source = (float*)row;
        for (int column = 0; column < columns; column += 4)
        {
            int place = (column >> 2 << 5) | Tiles.Slot(r);
            int count = Math.Min(4, columns - column);
            new ReadOnlySpan<float>(source + column, count).CopyTo(new Span<float>(planes.Plane<float>(0) + (4 * place), count));
        }
    }

    public static SingleTiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), blocks);
}
