using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q6_K in tiles, numbers of six bits in two's complement. A lane's quad has the low four bits, a word a row: columns 4i … 4i+3 in the
/// low nibbles, 16+4i … in the high ones. Its duo has the upper two: rows 0 and 1 in X, 2 and 3 in Y, and of each byte two bits of
/// columns 4i … of the first row, two of 16+4i …, and the same of the second. A row's super-block has a quad of 16 scales and a
/// binary16. A byte made of upper bits, low bits and two zeros is four times its number.
/// </summary>
internal readonly struct Q6KTiles : IVectorWeights, ITensorWeights
{
    /// <summary>What undoes the four.</summary>
    internal const float Quarter = 0.25f;

    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Duo> Uppers;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<ushort> Supers;
    internal readonly int Blocks;

    internal Q6KTiles(ArrayView<Quad> quads, ArrayView<Duo> uppers, ArrayView<Quad> scales, ArrayView<ushort> supers, int blocks)
    {
        Quads = quads;
        Uppers = uppers;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    /// <summary>Four numbers, times four, of columns 4i …: from the low nibbles, and upper bits at bits 0 and 1 of each byte.</summary>
    internal static int First(int low, int upper) => ((upper << 6) & unchecked((int)0xC0C0C0C0)) | ((low << 2) & 0x3C3C3C3C);

    /// <summary>Four numbers, times four, of columns 16+4i …: from the high nibbles, and upper bits at bits 2 and 3 of each byte.</summary>
    internal static int Second(int low, int upper) => ((upper << 4) & unchecked((int)0xC0C0C0C0)) | ((low >> 2) & 0x3C3C3C3C);

    /// <summary>One of a super-block's 16 scales.</summary>
    internal static int Scale(Quad scales, int run)
    {
        int low = run < 4 ? scales.X : scales.Y;
        int high = run < 12 ? scales.Z : scales.W;
        return ((run < 8 ? low : high) << (24 - (8 * (run & 3)))) >> 24;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int first = 0;
        int second = 0;
        for (int i = 0; i < 4; i++)
        {
            int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | i);
            int low = Tiles.Pick(Quads[place], row);
            int upper = Upper(Uppers[place], row);
            Duo words = x.Bytes[(4 * at) + i];
            first = Dot4.Signed(First(low, upper), words.X, first);
            second = Dot4.Signed(Second(low, upper), words.Y, second);
        }

        int chunk = Chunks.Of(row, block >> 3, Blocks);
        Quad scales = Scales[chunk];
        int group = block & 7;
        int dot = (Scale(scales, 2 * group) * first) + (Scale(scales, (2 * group) + 1) * second);
        return Add(sum, Super(Supers[chunk]), dot, x.Scales[at].Scale);
    }

    public float AddChunk(float sum, int tile, int block, int lane, Operand x, int at, int stride)
    {
        int quad = (((tile * Blocks) + block) << 5) | lane;
        int chunk = (((tile * (Blocks >> 3)) + (block >> 3)) << 5) | lane;
        Quad scales = Scales[chunk];
        float d = Super(Supers[chunk]);
        sum = AddFour(sum, quad, scales.X, scales.Y, d, lane, x, at, stride);
        return AddFour(sum, quad + 128, scales.Z, scales.W, d, lane, x, at + (4 * stride), stride);
    }

    public float AddSingle(float sum, int tile, int block, int lane, Operand x, int at) => sum;

    public RowScales LoadScales(int tile, int four, int lane)
    {
        int chunk = (((tile * (Blocks >> 3)) + (four >> 1)) << 5) | (lane & ~3);
        RowScales scales;
        scales.First = Chunks.Four(Scales[chunk], four);
        scales.Second = Chunks.Four(Scales[chunk + 1], four);
        scales.Third = Chunks.Four(Scales[chunk + 2], four);
        scales.Fourth = Chunks.Four(Scales[chunk + 3], four);
        scales.Supers.X = Supers[chunk];
        scales.Supers.Y = Supers[chunk + 1];
        scales.Supers.Z = Supers[chunk + 2];
        scales.Supers.W = Supers[chunk + 3];
        return scales;
    }

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index)
    {
        int place = (((tile * Blocks) + block) << 5) | lane;
        Quad quad = Quads[place];
        Duo uppers = Uppers[place];
        WeightBlock weights;
        weights.Upper = Half(quad.X, quad.Y, uppers.X, Chunks.Half(scales.First, index), Chunks.Half(scales.Second, index), scales.Supers.X, scales.Supers.Y);
        weights.Lower = Half(quad.Z, quad.W, uppers.Y, Chunks.Half(scales.Third, index), Chunks.Half(scales.Fourth, index), scales.Supers.Z, scales.Supers.W);
        return weights;
    }

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Bytes(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        Quad one = TensorCores.HalfBytes(weights.A, weights.B, x.Words.X, 0, 0, 0, 0);
        Quad two = TensorCores.HalfBytes(weights.C, weights.D, x.Words.Y, 0, 0, 0, 0);
        Sums next;
        next.A = Add(sums.A, weights.Scale, (weights.Factor * one.X) + (weights.SecondFactor * two.X), x.First.Scale);
        next.B = Add(sums.B, weights.Scale, (weights.Factor * one.Y) + (weights.SecondFactor * two.Y), x.Second.Scale);
        next.C = Add(sums.C, weights.OtherScale, (weights.OtherFactor * one.Z) + (weights.OtherSecondFactor * two.Z), x.First.Scale);
        next.D = Add(sums.D, weights.OtherScale, (weights.OtherFactor * one.W) + (weights.OtherSecondFactor * two.W), x.Second.Scale);
        return next;
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3));
        int low = Tiles.Pick(Quads[place], row);
        int upper = Upper(Uppers[place], row);
        int four = c < 16 ? First(low, upper) : Second(low, upper);
        int number = (four << (24 - (8 * (c & 3)))) >> 26;
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        int run = (2 * (block & 7)) + (c < 16 ? 0 : 1);
        return Rounded.Multiply(Rounded.Multiply(DeviceMath.HalfToSingle(Supers[chunk]), Scale(Scales[chunk], run)), number);
    }

    /// <summary>A super-block's scale, for numbers that are four times theirs.</summary>
    internal static float Super(int half) => Rounded.Multiply(DeviceMath.HalfToSingle(half), Quarter);

    /// <summary>The term of a block; its two runs have met their scales.</summary>
    internal static float Add(float sum, float d, int dot, float scale) => Rounded.Fma(Rounded.Multiply(d, scale), dot, sum);

    private float AddFour(float sum, int quad, int scales, int more, float d, int lane, Operand x, int at, int stride)
    {
        Quad a = Quads[quad];
        Quad b = Quads[quad + 32];
        Quad c = Quads[quad + 64];
        Quad e = Quads[quad + 96];
        Duo f = Uppers[quad];
        Duo g = Uppers[quad + 32];
        Duo h = Uppers[quad + 64];
        Duo k = Uppers[quad + 96];
        sum = Step(sum, lane, a, f, (scales << 24) >> 24, (scales << 16) >> 24, d, x, at);
        sum = Step(sum, lane, b, g, (scales << 8) >> 24, scales >> 24, d, x, at + stride);
        sum = Step(sum, lane, c, h, (more << 24) >> 24, (more << 16) >> 24, d, x, at + (2 * stride));
        return Step(sum, lane, e, k, (more << 8) >> 24, more >> 24, d, x, at + (3 * stride));
    }

    private static float Step(float sum, int lane, Quad quad, Duo uppers, int scale, int second, float d, Operand x, int at)
    {
        Duo words = x.Bytes[(4 * at) + (lane & 3)];
        int one = Lanes.Scatter(
            lane,
            Dot4.Signed(First(quad.X, uppers.X), words.X, 0),
            Dot4.Signed(First(quad.Y, uppers.X >> 4), words.X, 0),
            Dot4.Signed(First(quad.Z, uppers.Y), words.X, 0),
            Dot4.Signed(First(quad.W, uppers.Y >> 4), words.X, 0));
        int two = Lanes.Scatter(
            lane,
            Dot4.Signed(Second(quad.X, uppers.X), words.Y, 0),
            Dot4.Signed(Second(quad.Y, uppers.X >> 4), words.Y, 0),
            Dot4.Signed(Second(quad.Z, uppers.Y), words.Y, 0),
            Dot4.Signed(Second(quad.W, uppers.Y >> 4), words.Y, 0));
        return Add(sum, d, (scale * one) + (second * two), x.Scales[at].Scale);
    }

    // Two rows; a row's two scales are the bytes of 16 bits.
    private static HalfBlock Half(int row, int other, int uppers, int scales, int otherScales, int super, int otherSuper)
    {
        HalfBlock half = default;
        half.A = First(row, uppers);
        half.B = First(other, uppers >> 4);
        half.C = Second(row, uppers);
        half.D = Second(other, uppers >> 4);
        half.Scale = Super(super);
        half.OtherScale = Super(otherSuper);
        half.Factor = (scales << 24) >> 24;
        half.SecondFactor = (scales << 16) >> 24;
        half.OtherFactor = (otherScales << 24) >> 24;
        half.OtherSecondFactor = (otherScales << 16) >> 24;
        return half;
    }

    private static int Upper(Duo uppers, int row) => (row & 16) == 0 ? uppers.X >> ((row & 8) / 2) : uppers.Y >> ((row & 8) / 2);
}
