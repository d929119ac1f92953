using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Binary16 in tiles: for each block, and each of a lane's four rows, a quad of the eight columns 8i … 8i+7, 32 lanes.</summary>
internal readonly struct HalfTiles : ITensorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal HalfTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
    }

    /// <summary>The place of a quad, <c>[tile, block, row of the lane, lane]</c>.</summary>
    internal static int QuadAt(int row, int block, int blocks, int lane) =>
        ((((row >> 5) * blocks) + block) << 7) | (((row >> 3) & 3) << 5) | lane;

    internal static int Bits(Quad quad, int column)
    {
        int low = (column & 2) == 0 ? quad.X : quad.Y;
        int high = (column & 2) == 0 ? quad.Z : quad.W;
        return (((column & 4) == 0 ? low : high) >> (16 * (column & 1))) & 0xFFFF;
    }

    /// <summary>A lane's part of 32 rows: which columns are which of the product's does not matter, as long as the operand has the same.</summary>
    internal static WeightBlock Block(ArrayView<Quad> quads, int place)
    {
        WeightBlock block;
        block.Upper = Half(quads[place], quads[place + 32]);
        block.Lower = Half(quads[place + 64], quads[place + 96]);
        return block;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        // The order in which a tensor core gets them: first columns 8i … 8i+3, their upper terms and then their lower ones.
        for (int half = 0; half < 8; half += 4)
        {
            for (int term = 0; term < 64; term += 32)
            {
                for (int i = 0; i < 16; i++)
                {
                    int c = (8 * (i >> 2)) + half + (i & 3);
                    sum = Rounded.Fma(Element(row, (block * Segments.BlockLength) + c), DeviceMath.HalfToSingle(x.Halves[(64 * at) + term + c]), sum);
                }
            }
        }

        return sum;
    }

    public RowScales LoadScales(int tile, int four, int lane) => default;

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index) => Block(Quads, (((tile * Blocks) + block) << 7) | lane);

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Halves(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        sums = Add(sums, weights.A, weights.B, weights.C, weights.D, x.Floats.X, x.Floats.Y);
        sums = Add(sums, weights.A, weights.B, weights.C, weights.D, x.Rest.X, x.Rest.Y);
        sums = Add(sums, weights.E, weights.F, weights.G, weights.H, x.Floats.Z, x.Floats.W);
        return Add(sums, weights.E, weights.F, weights.G, weights.H, x.Rest.Z, x.Rest.W);
    }

    public float Element(int row, int column) =>
        DeviceMath.HalfToSingle(Bits(Quads[QuadAt(row, column >> 5, Blocks, Tiles.Lane(row) | ((column >> 3) & 3))], column));

    private static HalfBlock Half(Quad row, Quad other)
    {
        HalfBlock half = default;
        half.A = row.X;
        half.B = other.X;
        half.C = row.Y;
        half.D = other.Y;
        half.E = row.Z;
        half.F = other.Z;
        half.G = row.W;
        half.H = other.W;
        return half;
    }

    private static Sums Add(Sums sums, int a0, int a1, int a2, int a3, int b0, int b1) =>
        TensorCores.Halves(a0, a1, a2, a3, b0, b1, sums.A, sums.B, sums.C, sums.D);
}
