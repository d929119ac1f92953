using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Q8_0 in tiles: for each block a quad of columns 4i … 4i+3 of a lane's four rows, 32 lanes, then those of columns 16+4i ….</summary>
internal readonly struct Q8Tiles : IVectorWeights, ITensorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Quad> Scales;
    internal readonly int Blocks;

    internal Q8Tiles(ArrayView<Quad> quads, ArrayView<Quad> scales, int blocks)
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

        return Add(sum, DeviceMath.HalfToSingle(Chunks.Half(Scales[Chunks.Of(row, block >> 3, Blocks)], block & 7)), (upper << 8) + lower, x.ShortScales[at]);
    }

    public float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride)
    {
        int quad = (((tile * Blocks) + block) << 6) | lane;
        Quad scales = Scales[(((tile * (Blocks >> 3)) + (block >> 3)) << 5) | lane];
        sum = AddFour(sum, quad, scales.X, scales.Y, lane, x, at, stride);
        return AddFour(sum, quad + 256, scales.Z, scales.W, lane, x, at + (4 * stride), stride);
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at)
    {
        int half = Chunks.Half(Scales[(((tile * Chunks.Count(Blocks)) + (block >> 3)) << 5) | lane], block & 7);
        int quad = (((tile * Blocks) + block) << 6) | lane;
        return Step(sum, lane, Quads[quad], Quads[quad + 32], half, x, at);
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
        int quad = (((tile * Blocks) + block) << 6) | lane;
        Quad first = Quads[quad];
        Quad second = Quads[quad + 32];
        WeightBlock weights = default;
        weights.Upper.A = first.X;
        weights.Upper.B = first.Y;
        weights.Upper.C = second.X;
        weights.Upper.D = second.Y;
        weights.Upper.Scale = DeviceMath.HalfToSingle(Chunks.Half(scales.First, index));
        weights.Upper.OtherScale = DeviceMath.HalfToSingle(Chunks.Half(scales.Second, index));
        weights.Lower.A = first.Z;
        weights.Lower.B = first.W;
        weights.Lower.C = second.Z;
        weights.Lower.D = second.W;
        weights.Lower.Scale = DeviceMath.HalfToSingle(Chunks.Half(scales.Third, index));
        weights.Lower.OtherScale = DeviceMath.HalfToSingle(Chunks.Half(scales.Fourth, index));
        return weights;
    }

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Shorts(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        Quad high = TensorOperands.Product(weights, x.Words);
        Quad dots = TensorCores.MixedBytes(
            weights.A, weights.B, weights.C, weights.D, x.Lower.X, x.Lower.Y, high.X << 8, high.Y << 8, high.Z << 8, high.W << 8);
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
        int quad = QuadAt(row, block, Tiles.Lane(row) | ((c >> 2) & 3)) + (c < 16 ? 0 : 32);
        int number = (Tiles.Pick(Quads[quad], row) << (24 - (8 * (c & 3)))) >> 24;
        return DeviceMath.HalfToSingle(Chunks.Half(Scales[Chunks.Of(row, block >> 3, Blocks)], block & 7)) * number;
    }

    private float AddFour(float sum, int quad, int halves, int more, int lane, Operand x, int at, int stride)
    {
        Quad a = Quads[quad];
        Quad b = Quads[quad + 32];
        Quad c = Quads[quad + 64];
        Quad d = Quads[quad + 96];
        Quad e = Quads[quad + 128];
        Quad f = Quads[quad + 160];
        Quad g = Quads[quad + 192];
        Quad h = Quads[quad + 224];
        sum = Step(sum, lane, a, b, halves & 0xFFFF, x, at);
        sum = Step(sum, lane, c, d, (halves >> 16) & 0xFFFF, x, at + stride);
        sum = Step(sum, lane, e, f, more & 0xFFFF, x, at + (2 * stride));
        return Step(sum, lane, g, h, (more >> 16) & 0xFFFF, x, at + (3 * stride));
    }

    private static float Step(float sum, int lane, Quad first, Quad second, int half, Operand x, int at)
    {
        int i = (8 * at) + (lane & 3);
        Duo upper = x.Shorts[i];
        Duo lower = x.Shorts[i + 4];
        int dot = Lanes.Scatter(
            lane,
            Dot(first.X, second.X, upper, lower),
            Dot(first.Y, second.Y, upper, lower),
            Dot(first.Z, second.Z, upper, lower),
            Dot(first.W, second.W, upper, lower));
        return Add(sum, DeviceMath.HalfToSingle(half), dot, x.ShortScales[at]);
    }

    private static int Dot(int first, int second, Duo upper, Duo lower)
    {
        int high = Dot4.Signed(second, upper.Y, Dot4.Signed(first, upper.X, 0));
        return Dot4.Mixed(second, lower.Y, Dot4.Mixed(first, lower.X, high << 8));
    }

    // The term of a block.
    private static float Add(float sum, float weights, int dot, float scale) => Rounded.Fma(Rounded.Multiply(weights, scale), dot, sum);

    private int QuadAt(int row, int block, int lane) => ((((row >> 5) * Blocks) + block) << 6) | lane;
}
