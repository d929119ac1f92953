using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q4_K in tiles. A lane's quad has a word for each of its four rows: columns 4i … 4i+3 in the low nibbles, 16+4i … in the high ones.
/// A row's super-block has a quad of eight scales, then eight minima, a byte each; and the binary16 they are multiplied by, d in the
/// lower half of a word and dmin in the upper one.
/// </summary>
internal readonly struct Q4KTiles : IVectorWeights, ITensorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<int> Supers;
    internal readonly int Blocks;

    internal Q4KTiles(ArrayView<Quad> quads, ArrayView<Quad> scales, ArrayView<int> supers, int blocks)
    {
        Quads = quads;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        for (int i = 0; i < 4; i++)
        {
            int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | i)], row);
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed(word & 0x0F0F0F0F, words.X, dot);
            dot = Dot4.Signed((word >> 4) & 0x0F0F0F0F, words.Y, dot);
        }

        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Add(sum, Scales[chunk], Supers[chunk], block & 7, dot, x.Scales[at]);
    }

    public float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride)
    {
        int quad = (((tile * Blocks) + block) << 5) | lane;
        int chunk = (((tile * (Blocks >> 3)) + (block >> 3)) << 5) | lane;
        Quad scales = Scales[chunk];
        int super = Supers[chunk];
        Quad a = Quads[quad];
        Quad b = Quads[quad + 32];
        Quad c = Quads[quad + 64];
        Quad d = Quads[quad + 96];
        Quad e = Quads[quad + 128];
        Quad f = Quads[quad + 160];
        Quad g = Quads[quad + 192];
        Quad h = Quads[quad + 224];
        float unit = DeviceMath.HalfToSingle(super & 0xFFFF);
        float least = DeviceMath.HalfToSingle((super >> 16) & 0xFFFF);
        sum = Step(sum, lane, a, unit, least, scales.X & 255, scales.Z & 255, x, at);
        sum = Step(sum, lane, b, unit, least, (scales.X >> 8) & 255, (scales.Z >> 8) & 255, x, at + stride);
        sum = Step(sum, lane, c, unit, least, (scales.X >> 16) & 255, (scales.Z >> 16) & 255, x, at + (2 * stride));
        sum = Step(sum, lane, d, unit, least, (scales.X >> 24) & 255, (scales.Z >> 24) & 255, x, at + (3 * stride));
        sum = Step(sum, lane, e, unit, least, scales.Y & 255, scales.W & 255, x, at + (4 * stride));
        sum = Step(sum, lane, f, unit, least, (scales.Y >> 8) & 255, (scales.W >> 8) & 255, x, at + (5 * stride));
        sum = Step(sum, lane, g, unit, least, (scales.Y >> 16) & 255, (scales.W >> 16) & 255, x, at + (6 * stride));
        return Step(sum, lane, h, unit, least, (scales.Y >> 24) & 255, (scales.W >> 24) & 255, x, at + (7 * stride));
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at) => sum;

    public RowScales LoadScales(int tile, int four, int lane) =>
        KScales.Load(Scales, Supers, (((tile * (Blocks >> 3)) + (four >> 1)) << 5) | (lane & ~3), four);

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index)
    {
        Quad quad = Quads[(((tile * Blocks) + block) << 5) | lane];
        WeightBlock weights = KScales.Block(scales, index);
        weights.Upper.A = quad.X & 0x0F0F0F0F;
        weights.Upper.B = quad.Y & 0x0F0F0F0F;
        weights.Upper.C = (quad.X >> 4) & 0x0F0F0F0F;
        weights.Upper.D = (quad.Y >> 4) & 0x0F0F0F0F;
        weights.Lower.A = quad.Z & 0x0F0F0F0F;
        weights.Lower.B = quad.W & 0x0F0F0F0F;
        weights.Lower.C = (quad.Z >> 4) & 0x0F0F0F0F;
        weights.Lower.D = (quad.W >> 4) & 0x0F0F0F0F;
        return weights;
    }

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Bytes(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x) => KScales.Add(sums, weights, x);

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3))], row);
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Decode(Scales[chunk], Supers[chunk], block & 7, (word >> ((8 * (c & 3)) + (c < 16 ? 0 : 4))) & 15);
    }

    private static float Step(float sum, int lane, Quad quad, float d, float dmin, int scale, int minimum, Operand x, int at)
    {
        Duo words = x.Bytes[(4 * at) + (lane & 3)];
        int dot = Lanes.Scatter(lane, Dot(quad.X, words), Dot(quad.Y, words), Dot(quad.Z, words), Dot(quad.W, words));
        return KScales.Add(sum, d, dmin, scale, minimum, dot, x.Scales[at]);
    }

    private static int Dot(int word, Duo words) => Dot4.Signed((word >> 4) & 0x0F0F0F0F, words.Y, Dot4.Signed(word & 0x0F0F0F0F, words.X, 0));
}
