using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Q8_0 in tiles: for each block a quad of columns 4i … 4i+3 of a lane's four rows, 32 lanes, then those of columns 16+4i ….</summary>
internal readonly struct Q8Tiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<ushort> Scales;
    internal readonly int Blocks;

    internal Q8Tiles(ArrayView<Quad> quads, ArrayView<ushort> scales, int blocks)
    {
        Quads = quads;
        Scales = scales;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int upper = 0;
        int lower = 0;
        for (int i = 0; i < 4; i++)
        {
            int quad = QuadAt(row, block, Tiles.Lane(row) | i);
            int first = Tiles.Pick(Quads[quad], row);
            int second = Tiles.Pick(Quads[quad + 32], row);
            Duo high = x.Shorts[(8 * at) + i];
            Duo low = x.Shorts[(8 * at) + 4 + i];
            upper = Dot4.Signed(second, high.Y, Dot4.Signed(first, high.X, upper));
            lower = Dot4.Mixed(second, low.Y, Dot4.Mixed(first, low.X, lower));
        }

        float scale = DeviceMath.HalfToSingle(Scales[Chunks.At(row, block, Blocks)]);
        return Rounded.Fma(Rounded.Multiply(scale, x.ShortScales[at]), (upper << 8) + lower, sum);
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int quad = QuadAt(row, block, Tiles.Lane(row) | ((c >> 2) & 3)) + (c < 16 ? 0 : 32);
        int number = (Tiles.Pick(Quads[quad], row) << (24 - (8 * (c & 3)))) >> 24;
        return DeviceMath.HalfToSingle(Scales[Chunks.At(row, block, Blocks)]) * number;
    }

    private int QuadAt(int row, int block, int lane) => ((((row >> 5) * Blocks) + block) << 6) | lane;
}
