using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Kernels for CUDA that write operands from float32: a warp a block. The grid is <c>(eights of blocks, rows)</c>.</summary>
internal static class OperandKernels
{
    private const int Warps = 8;

    internal static KernelConfig Config(int rows, int blocks) => new(new Index2D((blocks + Warps - 1) / Warps, rows), new Index2D(32 * Warps, 1));

    /// <summary>Rows of float32, <c>[rows, y.Columns]</c>.</summary>
    internal static void Write(ArrayView<float> x, Operand y)
    {
        int row = Grid.IdxY;
        int block = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        if (block >= y.Blocks) return;

        int column = (block * Segments.BlockLength) + (Group.IdxX & 31);
        float value = 0;
        if (column < y.Columns) value = x[(row * y.Columns) + column];
        y.WriteLane(row, block, value);
    }

    /// <summary><c>f(gate) ∘ up</c>; gate and up lie behind one another in a row.</summary>
    internal static void Activate(ArrayView<float> gateUp, int activation, Operand y)
    {
        int row = Grid.IdxY;
        int block = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        if (block >= y.Blocks) return;

        int column = (block * Segments.BlockLength) + (Group.IdxX & 31);
        int at = (row * 2 * y.Columns) + column;
        float value = 0;
        if (column < y.Columns) value = Gates.Apply(activation, gateUp[at], gateUp[at + y.Columns]);
        y.WriteLane(row, block, value);
    }
}
