using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>float32 in tiles: for each block, and each four columns of it, a quad of a row, 32 rows in the order of <see cref="Tiles.Slot"/>.</summary>
internal readonly struct SingleTiles : IVectorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal SingleTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
    }

    /// <summary>The place of a quad, <c>[tile, block, four columns, slot]</c>.</summary>
    internal static int QuadAt(int row, int block, int blocks, int four) => ((((row >> 5) * blocks) + block) << 8) | (four << 5) | Tiles.Slot(row);

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        for (int c = 0; c < Segments.BlockLength; c++)
            sum = Rounded.Fma(Element(row, (block * Segments.BlockLength) + c), x.Singles[(32 * at) + c], sum);
        return sum;
    }

    public float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride)
    {
        for (int i = 0; i < 8; i++) sum = AddSingle(sum, tile, block + i, lane, x, at + (i * stride));
        return sum;
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at)
    {
        int quad = (((tile * Blocks) + block) << 8) | lane;
        for (int four = 0; four < 8; four += 4)
        {
            Quad a = Quads[quad];
            Quad b = Quads[quad + 32];
            Quad c = Quads[quad + 64];
            Quad d = Quads[quad + 96];
            sum = Step(sum, a, x.Singles, (32 * at) + (4 * four));
            sum = Step(sum, b, x.Singles, (32 * at) + (4 * four) + 4);
            sum = Step(sum, c, x.Singles, (32 * at) + (4 * four) + 8);
            sum = Step(sum, d, x.Singles, (32 * at) + (4 * four) + 12);
            quad += 128;
        }

        return sum;
    }

    public float Element(int row, int column)
    {
        Quad quad = Quads[QuadAt(row, column >> 5, Blocks, (column >> 2) & 7)];
        int low = (column & 1) == 0 ? quad.X : quad.Y;
        int high = (column & 1) == 0 ? quad.Z : quad.W;
        return Interop.IntAsFloat((uint)((column & 2) == 0 ? low : high));
    }

    private static float Step(float sum, Quad weights, ArrayView<float> x, int at)
    {
        sum = Rounded.Fma(Interop.IntAsFloat((uint)weights.X), x[at], sum);
        sum = Rounded.Fma(Interop.IntAsFloat((uint)weights.Y), x[at + 1], sum);
        sum = Rounded.Fma(Interop.IntAsFloat((uint)weights.Z), x[at + 2], sum);
        return Rounded.Fma(Interop.IntAsFloat((uint)weights.W), x[at + 3], sum);
    }
}
