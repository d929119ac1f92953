using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Kernels without groups, for every device: one work item computes one result from first product to last.</summary>
internal static class PortableKernels
{
    /// <summary><c>y[row, output] = weights[output] · x[row]</c>; i counts outputs of rows.</summary>
    internal static void Multiply<TWeights>(Index1D i, TWeights weights, Operand x, Product y)
        where TWeights : struct, ITileWeights
    {
        int row = i / y.Outputs;
        int output = i - (row * y.Outputs);
        y.Write(row, output, Dot(weights, output, x, row));
    }

    /// <summary><c>x[row, column] = table[tokens[row], column] · scale</c>; i counts numbers of x.</summary>
    internal static void Embed<TWeights>(Index1D i, TWeights table, ArrayView<int> tokens, int columns, float scale, ArrayView<float> x)
        where TWeights : struct, ITileWeights
    {
        int row = i / columns;
        float value = table.Element(tokens[row], i - (row * columns));
        x[i] = scale == 1f ? value : Rounded.Multiply(value, scale);
    }

    /// <summary>A block of an operand from rows of float32; i counts blocks of rows.</summary>
    internal static void Write(Index1D i, ArrayView<float> x, Operand y)
    {
        int row = i / y.Blocks;
        int block = i - (row * y.Blocks);
        y.WriteBlock(row, block, x, (row * y.Columns) + (block * Segments.BlockLength));
    }

    /// <summary>
    /// <c>f(gate) ∘ up</c> of a block of 32 columns, in place of the gate, then as a block of an operand; gate and up lie behind one
    /// another in a row. i counts blocks of rows.
    /// </summary>
    internal static void Activate(Index1D i, ArrayView<float> gateUp, int activation, Operand y)
    {
        int row = i / y.Blocks;
        int block = i - (row * y.Blocks);
        int start = (row * 2 * y.Columns) + (block * Segments.BlockLength);
        int count = y.Columns - (block * Segments.BlockLength);
        if (count > Segments.BlockLength) count = Segments.BlockLength;
        for (int c = start; c < start + count; c++) gateUp[c] = Gates.Apply(activation, gateUp[c], gateUp[c + y.Columns]);
        y.WriteBlock(row, block, gateUp, start);
    }

    /// <summary>
    /// <c>f(gate · x) ∘ (up · x)</c> of a block of 32 outputs, by way of scratch <c>[rows, y.Columns]</c>, as a block of an operand.
    /// i counts blocks of rows.
    /// </summary>
    internal static void Gate<TWeights>(
        Index1D i, TWeights gate, TWeights up, Operand x, ArrayView<float> bias, int hasBias, int activation, ArrayView<float> scratch, Operand y)
        where TWeights : struct, ITileWeights
    {
        int row = i / y.Blocks;
        int block = i - (row * y.Blocks);
        int first = block * Segments.BlockLength;
        int end = first + Segments.BlockLength < y.Columns ? first + Segments.BlockLength : y.Columns;
        for (int output = first; output < end; output++)
        {
            scratch[(row * y.Columns) + output] =
                Gates.Close(Dot(gate, output, x, row), Dot(up, output, x, row), output, y.Columns, bias, hasBias, activation);
        }

        y.WriteBlock(row, block, scratch, (row * y.Columns) + first);
    }

    /// <summary>The product of a weight row and an operand row, in the canonical order of <see cref="Segments"/>.</summary>
    internal static float Dot<TWeights>(TWeights weights, int output, Operand x, int row)
        where TWeights : struct, ITileWeights
    {
        int length = Segments.Length(x.Blocks);
        float total = 0;
        for (int first = 0; first < x.Blocks; first += length)
        {
            int end = first + length < x.Blocks ? first + length : x.Blocks;
            float sum = 0;
            for (int block = first; block < end; block++) sum = weights.AddBlock(sum, output, block, x, x.At(row, block));
            total = Rounded.Add(total, sum);
        }

        return total;
    }
}
