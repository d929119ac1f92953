using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>A lane's part of a block of eight operand rows, in each form; of one row alone, every column is that row.</summary>
internal static class TensorOperands
{
    internal static OperandBlock Bytes(Operand x, int at, int lane)
    {
        int mask = (1 << x.TileShift) - 1;
        OperandBlock block = default;
        block.Words = x.Bytes[(4 * (at + ((lane >> 2) & mask))) + (lane & 3)];
        block.First = x.Scales[at + ((2 * (lane & 3)) & mask)];
        block.Second = x.Scales[at + (((2 * (lane & 3)) + 1) & mask)];
        return block;
    }

    internal static OperandBlock Shorts(Operand x, int at, int lane)
    {
        int mask = (1 << x.TileShift) - 1;
        int i = (8 * (at + ((lane >> 2) & mask))) + (lane & 3);
        OperandBlock block = default;
        block.Words = x.Shorts[i];
        block.Lower = x.Shorts[i + 4];
        block.First.Scale = x.ShortScales[at + ((2 * (lane & 3)) & mask)];
        block.Second.Scale = x.ShortScales[at + (((2 * (lane & 3)) + 1) & mask)];
        return block;
    }

    internal static OperandBlock Halves(Operand x, int at, int lane)
    {
        int mask = (1 << x.TileShift) - 1;
        int i = (8 * (at + ((lane >> 2) & mask))) + (lane & 3);
        OperandBlock block = default;
        block.Floats = x.HalfQuads[i];
        block.Rest = x.HalfQuads[i + 4];
        return block;
    }

    internal static OperandBlock Brains(Operand x, int at, int lane)
    {
        int mask = (1 << x.TileShift) - 1;
        int i = (8 * (at + ((lane >> 2) & mask))) + (lane & 3);
        OperandBlock block = default;
        block.Floats = x.BrainQuads[i];
        block.Rest = x.BrainQuads[i + 4];
        return block;
    }

    /// <summary>The integer sums of a block of bytes.</summary>
    internal static Quad Product(HalfBlock weights, Duo words) =>
        TensorCores.Bytes(weights.A, weights.B, weights.C, weights.D, words.X, words.Y, 0, 0, 0, 0);
}
