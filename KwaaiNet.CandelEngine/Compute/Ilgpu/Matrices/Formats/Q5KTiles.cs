using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q5_K in tiles: as <see cref="Q4KTiles"/>, and a word a lane and block of fifth bits: of each byte, bits 2q and 2q + 1 belong to the
/// lane's row q, columns 4i … and columns 16+4i ….
/// </summary>
internal readonly struct Q5KTiles : IVectorWeights, ITensorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<int> Fifths;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<int> Supers;
    internal readonly int Blocks;

    internal Q5KTiles(ArrayView<Quad> quads, ArrayView<int> fifths, ArrayView<Quad> scales, ArrayView<int> supers, int blocks)
    {
        Quads = quads;
        Fifths = fifths;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    /// <summary>Four numbers of columns 4i …: from the low nibbles, and fifth bits at bit 0 of each byte.</summary>
    internal static int First(int low, int fifths) => (low & 0x0F0F0F0F) | ((fifths << 4) & 0x10101010);

    /// <summary>Four numbers of columns 16+4i …: from the high nibbles, and fifth bits at bit 1 of each byte.</summary>
    internal static int Second(int low, int fifths) => ((low >> 4) & 0x0F0F0F0F) | ((fifths << 3) & 0x10101010);

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        int bit = 2 * ((row >> 3) & 3);
        for (int i = 0; i < 4; i++)
        {
            int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | i);
            int word = Tiles.Pick(Quads[place], row);
            int fifths = Fifths[place] >> bit;
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed(First(word, fifths), words.X, dot);
            dot = Dot4.Signed(Second(word, fifths), words.Y, dot);
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
        int a5 = Fifths[quad];
        int b5 = Fifths[quad + 32];
        int c5 = Fifths[quad + 64];
        int d5 = Fifths[quad + 96];
        int e5 = Fifths[quad + 128];
        int f5 = Fifths[quad + 160];
        int g5 = Fifths[quad + 192];
        int h5 = Fifths[quad + 224];
        float unit = DeviceMath.HalfToSingle(super & 0xFFFF);
        float least = DeviceMath.HalfToSingle((super >> 16) & 0xFFFF);
        sum = Step(sum, lane, a, a5, unit, least, scales.X & 255, scales.Z & 255, x, at);
        sum = Step(sum, lane, b, b5, unit, least, (scales.X >> 8) & 255, (scales.Z >> 8) & 255, x, at + stride);
        sum = Step(sum, lane, c, c5, unit, least, (scales.X >> 16) & 255, (scales.Z >> 16) & 255, x, at + (2 * stride));
        sum = Step(sum, lane, d, d5, unit, least, (scales.X >> 24) & 255, (scales.Z >> 24) & 255, x, at + (3 * stride));
        sum = Step(sum, lane, e, e5, unit, least, scales.Y & 255, scales.W & 255, x, at + (4 * stride));
        sum = Step(sum, lane, f, f5, unit, least, (scales.Y >> 8) & 255, (scales.W >> 8) & 255, x, at + (5 * stride));
        sum = Step(sum, lane, g, g5, unit, least, (scales.Y >> 16) & 255, (scales.W >> 16) & 255, x, at + (6 * stride));
        return Step(sum, lane, h, h5, unit, least, (scales.Y >> 24) & 255, (scales.W >> 24) & 255, x, at + (7 * stride));
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at) => sum;

    public RowScales LoadScales(int tile, int four, int lane) =>
        KScales.Load(Scales, Supers, (((tile * (Blocks >> 3)) + (four >> 1)) << 5) | (lane & ~3), four);

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index)
    {
        int place = (((tile * Blocks) + block) << 5) | lane;
        Quad quad = Quads[place];
        int fifths = Fifths[place];
        WeightBlock weights = KScales.Block(scales, index);
        weights.Upper.A = First(quad.X, fifths);
        weights.Upper.B = First(quad.Y, fifths >> 2);
        weights.Upper.C = Second(quad.X, fifths);
        weights.Upper.D = Second(quad.Y, fifths >> 2);
        weights.Lower.A = First(quad.Z, fifths >> 4);
        weights.Lower.B = First(quad.W, fifths >> 6);
        weights.Lower.C = Second(quad.Z, fifths >> 4);
        weights.Lower.D = Second(quad.W, fifths >> 6);
        return weights;
    }

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Bytes(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x) => KScales.Add(sums, weights, x);

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int half = c < 16 ? 0 : 1;
        int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3));
        int low = (Tiles.Pick(Quads[place], row) >> ((8 * (c & 3)) + (4 * half))) & 15;
        int fifth = (Fifths[place] >> ((8 * (c & 3)) + (2 * ((row >> 3) & 3)) + half)) & 1;
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Decode(Scales[chunk], Supers[chunk], block & 7, low | (fifth << 4));
    }

    private static float Step(float sum, int lane, Quad quad, int fifths, float d, float dmin, int scale, int minimum, Operand x, int at)
    {
        Duo words = x.Bytes[(4 * at) + (lane & 3)];
        int dot = Lanes.Scatter(
            lane,
            Dot(quad.X, fifths, words),
            Dot(quad.Y, fifths >> 2, words),
            Dot(quad.Z, fifths >> 4, words),
            Dot(quad.W, fifths >> 6, words));
        return KScales.Add(sum, d, dmin, scale, minimum, dot, x.Scales[at]);
    }

    private static int Dot(int word, int fifths, Duo words) => Dot4.Signed(Second(word, fifths), words.Y, Dot4.Signed(First(word, fifths), words.X, 0));
}
