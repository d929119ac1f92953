using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Bfloat16 in tiles, as <see cref="HalfTiles"/>.</summary>
internal readonly struct BrainTiles : ITensorWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly int Blocks;

    internal BrainTiles(ArrayView<Quad> quads, int blocks)
    {
        Quads = quads;
        Blocks = blocks;
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
                    sum = Rounded.Fma(Element(row, (block * Segments.BlockLength) + c), TwoTerms.BrainToSingle(x.Brains[(64 * at) + term + c]), sum);
                }
            }
        }

        return sum;
    }

    public RowScales LoadScales(int tile, int four, int lane) => default;

    public WeightBlock LoadBlock(int tile, int block, int lane, RowScales scales, int index) => HalfTiles.Block(Quads, (((tile * Blocks) + block) << 7) | lane);

    public OperandBlock LoadOperand(Operand x, int at, int lane) => TensorOperands.Brains(x, at, lane);

    public Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        sums = Add(sums, weights.A, weights.B, weights.C, weights.D, x.Floats.X, x.Floats.Y);
        sums = Add(sums, weights.A, weights.B, weights.C, weights.D, x.Rest.X, x.Rest.Y);
        sums = Add(sums, weights.E, weights.F, weights.G, weights.H, x.Floats.Z, x.Floats.W);
        return Add(sums, weights.E, weights.F, weights.G, weights.H, x.Rest.Z, x.Rest.W);
    }

    public float Element(int row, int column) => TwoTerms.BrainToSingle(
        HalfTiles.Bits(Quads[HalfTiles.QuadAt(row, column >> 5, Blocks, Tiles.Lane(row) | ((column >> 3) & 3))], column));

    private static Sums Add(Sums sums, int a0, int a1, int a2, int a3, int b0, int b1) =>
        TensorCores.Brains(a0, a1, a2, a3, b0, b1, sums.A, sums.B, sums.C, sums.D);
}
