using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>16-bit floats to tiles: only their places change.</summary>
internal static unsafe class SixteenPacking
{
    internal static int[] PlaneBytes(int blocks) => [2048 * blocks];

    internal static void PackRow(byte* row, int columns, int r, in TilePlanes planes)
    {
        ushort* source = (ushort*)row;
        for (int column = 0; column < columns; column += 8)
        {
            int place = HalfTiles.QuadAt(r, column >> 5, 0, Tiles.Lane(r) | ((column >> 3) & 3));
            int count = Math.Min(8, columns - column);
            new ReadOnlySpan<ushort>(source + column, count).CopyTo(new Span<ushort>(planes.Plane<ushort>(0) + (8 * place), count));
        }
    }
}

/// <summary>F16 to <see cref="HalfTiles"/>.</summary>
internal readonly unsafe struct HalfPacking : ITilePacking<HalfTiles>
{
    public static int[] PlaneBytes(int blocks) => SixteenPacking.PlaneBytes(blocks);

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes) => SixteenPacking.PackRow(row, columns, r, planes);

    public static HalfTiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), blocks);
}

/// <summary>BF16 to <see cref="BrainTiles"/>.</summary>
internal readonly unsafe struct BrainPacking : ITilePacking<BrainTiles>
{
    public static int[] PlaneBytes(int blocks) => SixteenPacking.PlaneBytes(blocks);

    public static void PackRow(byte* row, int columns, int r, in TilePlanes planes) => SixteenPacking.PackRow(row, columns, r, planes);

    public static BrainTiles Bind(in DevicePlanes planes, int blocks) => new(planes.Plane<Quad>(0), blocks);
}
