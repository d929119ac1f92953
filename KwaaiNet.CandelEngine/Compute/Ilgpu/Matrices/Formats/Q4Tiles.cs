using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q4_0 in tiles. A lane's quad has a word for each of its four rows: the numbers of columns 4i … 4i+3 in the low nibbles, of 16+4i … in
/// the high ones, in two's complement, so that a nibble in a byte's upper half is 16 times its number without more ado.
/// </summary>
internal readonly struct Q4Tiles : IVectorWeights, ITensorWeights
{
    /// <summary>What undoes the 16.</summary>
    internal const float Sixteenth = 0.0625f;

    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Quad> Scales;
    internal readonly int Blocks;

    internal Q4Tiles(ArrayView<Quad> quads, ArrayView<Quad> scales, int blocks)
    {
        Quads = quads;
        Scales = scales;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        for (int i = 0; i < 4; i++)
        {
            int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | i)], row);
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed(First(word), words.X, dot);
            dot = Dot4.Signed(Second(word), words.Y, dot);
        }

        return Add(sum, Scale(Chunks.Half(Scales[Chunks.Of(row, block >> 3, Blocks)], block & 7)), dot, x.Scales[at].Scale);
    }

    public float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride)
    {
        int quad = (((tile * Blocks) + block) << 5) | lane;
        Quad scales = Scales[(((tile * (Blocks >> 3)) + (block >> 3)) << 5) | lane];
        Quad a = Quads[quad];
        Quad b = Quads[quad + 32];
        Quad c = Quads[quad + 64];
        Quad d = Quads[quad + 96];
        Quad e = Quads[quad + 128];
        Quad f = Quads[quad + 160];
        Quad g = Quads[quad + 192];
        Quad h = Quads[quad + 224];
        sum = Step(sum, lane, a, scales.X & 0xFFFF, x, at);
        sum = Step(sum, lane, b, (scales.X >> 16) & 0xFFFF, x, at + stride);
        sum = Step(sum, lane, c, scales.Y & 0xFFFF, x, at + (2 * stride));
        sum = Step(sum, lane, d, (scales.Y >> 16) & 0xFFFF, x, at + (3 * stride));
        sum = Step(sum, lane, e, scales.Z & 0xFFFF, x, at + (4 * stride));
        sum = Step(sum, lane, f, (scales.Z >> 16) & 0xFFFF, x, at + (5 * stride));
        sum = Step(sum, lane, g, scales.W & 0xFFFF, x, at + (6 * stride));
        return Step(sum, lane, h, (scales.W >> 16) & 0xFFFF, x, at + (7 * stride));
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at)
    {
        int half = Chunks.Half(Scales[(((tile * Chunks.Count(Blocks)) + (block >> 3)) << 5) | lane], block & 7);
        return Step(sum, lane, Quads[(((tile * Blocks) + block) << 5) | lane], half, x, at);
    }

    public RowScales LoadScales(int tile, int four, int lane)
    {
        // A chunk's quad is the scales of eight blocks: a half of it is those of four.
        int chunk = (((tile * Chunks.Count(Blocks)) + (four >> 1)) << 5) | (lane & ~3);
        RowScales scales = default;
        scales.First = Chunks.Four(Scales[chunk], four);
        scales.Second = Chunks.Four(Scales[chunk + 1], four);
        scales.Third = Chunks.Four(Scales[chunk + 2], four);
        scales.Fourth = Chunks.Four(Scales[chunk + 3], four);
        return scales;
    }

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index)
    {
        Quad quad = Quads[(((tile * Blocks) + block) << 5) | lane];
        WeightBlock weights;
        weights.Upper = Half(quad.X, quad.Y, Chunks.Half(scales.First, index), Chunks.Half(scales.Second, index));
        weights.Lower = Half(quad.Z, quad.W, Chunks.Half(scales.Third, index), Chunks.Half(scales.Fourth, index));
        return weights;
    }

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Bytes(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        Quad dots = TensorOperands.Product(weights, x.Words);
        Sums next;
        next.A = Add(sums.A, weights.Scale, dots.X, x.First.Scale);
        next.B = Add(sums.B, weights.Scale, dots.Y, x.Second.Scale);
        next.C = Add(sums.C, weights.OtherScale, dots.Z, x.First.Scale);
        next.D = Add(sums.D, weights.OtherScale, dots.W, x.Second.Scale);
        return next;
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3))], row);
        int shift = (8 * (c & 3)) + (c < 16 ? 0 : 4);
        return DeviceMath.HalfToSingle(Chunks.Half(Scales[Chunks.Of(row, block >> 3, Blocks)], block & 7)) * ((word << (28 - shift)) >> 28);
    }

    private static float Step(float sum, int lane, Quad quad, int half, Operand x, int at)
    {
        Duo words = x.Bytes[(4 * at) + (lane & 3)];
        int dot = Lanes.Scatter(lane, Dot(quad.X, words), Dot(quad.Y, words), Dot(quad.Z, words), Dot(quad.W, words));
        return Add(sum, Scale(half), dot, x.Scales[at].Scale);
    }

    private static int Dot(int word, Duo words) => Dot4.Signed(Second(word), words.Y, Dot4.Signed(First(word), words.X, 0));

    private static HalfBlock Half(int row, int other, int scale, int otherScale)
    {
        HalfBlock half = default;
        half.A = First(row);
        half.B = First(other);
        half.C = Second(row);
        half.D = Second(other);
        half.Scale = Scale(scale);
        half.OtherScale = Scale(otherScale);
        return half;
    }

    // Four numbers, times sixteen, of columns 4i … and of columns 16+4i ….
    private static int First(int word) => (word << 4) & unchecked((int)0xF0F0F0F0);

    private static int Second(int word) => word & unchecked((int)0xF0F0F0F0);

    // A row's scale, for numbers that are sixteen times theirs.
    private static float Scale(int half) => Rounded.Multiply(DeviceMath.HalfToSingle(half), Sixteenth);

    // The term of a block.
    private static float Add(float sum, float weights, int dot, float scale) => Rounded.Fma(Rounded.Multiply(weights, scale), dot, sum);
}
