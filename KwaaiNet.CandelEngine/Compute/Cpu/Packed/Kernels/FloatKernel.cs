using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>Products of float32 activations with float weights: for each row, <c>y = fma(weight, activation, y)</c>, column after column.</summary>
/// <remarks>
/// With several activation rows, weights are widened once, a panel of some hundred columns at a time that stays in the first-level
/// cache, and sums wait in y between panels: the order of a row's additions is the same as with one row.
/// </remarks>
internal static unsafe class FloatKernel<TLanes, TFormat>
    where TLanes : struct, IRowLanes<TLanes>
    where TFormat : struct, IFloatFormat
{
    private const int PanelColumns = 256;

    /// <inheritdoc cref="PackedKernels.Multiply"/>
    internal static void Multiply(PackedMatrix weights, int firstGroup, int endGroup, ActivationRows x, float* y, int yStride)
    {
        if (x.Rows == 1)
        {
            MultiplyOne(weights, firstGroup, endGroup, (float*)x.Values, y);
            return;
        }

        float* panel = stackalloc float[PanelColumns * 2 * TLanes.Rows];
        int outputs = (endGroup - firstGroup) * PackedUnit.Rows;
        for (int output = 0; output < outputs; output += 2 * TLanes.Rows)
        {
            for (int column = 0; column < weights.Columns; column += PanelColumns)
            {
                int columns = Math.Min(PanelColumns, weights.Columns - column);
                bool second = output + TLanes.Rows < outputs;
                Widen(weights, firstGroup, output, column, columns, second, panel);
                for (int tile = 0; tile < x.Tiles; tile++) MultiplyTile(panel, x, tile, column, columns, y + output, yStride, second);
            }
        }
    }

    // Two registers of outputs; where the second would lie beyond the share it is left alone.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTile(float* panel, ActivationRows x, int tile, int column, int columns, float* y, int yStride, bool second)
    {
        float* values = (float*)x.Tile(tile) + ((long)column * ActivationRows.TileRows);
        y += (long)tile * ActivationRows.TileRows * yStride;
        int rows = Math.Min(ActivationRows.TileRows, x.Rows - (tile * ActivationRows.TileRows));
        int done = 0;
        if (second)
        {
            if (TLanes.TileRows == 8 && rows == 8)
            {
                Tile8(panel, values, columns, y, yStride, column == 0);
                return;
            }

            for (; done + 4 <= rows; done += 4) Tile4(panel, values + done, columns, y + ((long)done * yStride), yStride, column == 0);
        }

        for (; done < rows; done++) Tile1(panel, values + done, columns, y + ((long)done * yStride), second, column == 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(PackedMatrix weights, int firstGroup, int output, int column, int columns, bool second, float* panel)
    {
        byte* a = weights.Group(firstGroup + (output / PackedUnit.Rows)) + ((long)column * TFormat.UnitBytes);
        int next = output + TLanes.Rows;
        byte* b = second ? weights.Group(firstGroup + (next / PackedUnit.Rows)) + ((long)column * TFormat.UnitBytes) : a;
        for (int c = 0; c < columns; c++, a += TFormat.UnitBytes, b += TFormat.UnitBytes, panel += 2 * TLanes.Rows)
        {
            TLanes.Store(TFormat.Load<TLanes>(a, output % PackedUnit.Rows), panel);
            TLanes.Store(TFormat.Load<TLanes>(b, next % PackedUnit.Rows), panel + TLanes.Rows);
        }
    }

    /// <summary>8 activation rows with the outputs of two registers: goes on with the sums in y, or starts them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8(float* panel, float* values, int columns, float* y, int yStride, bool start)
    {
        TLanes a0 = TLanes.Zero, b0 = TLanes.Zero;
        TLanes a1 = TLanes.Zero, b1 = TLanes.Zero;
        TLanes a2 = TLanes.Zero, b2 = TLanes.Zero;
        TLanes a3 = TLanes.Zero, b3 = TLanes.Zero;
        TLanes a4 = TLanes.Zero, b4 = TLanes.Zero;
        TLanes a5 = TLanes.Zero, b5 = TLanes.Zero;
        TLanes a6 = TLanes.Zero, b6 = TLanes.Zero;
        TLanes a7 = TLanes.Zero, b7 = TLanes.Zero;
        if (!start)
        {
            a0 = TLanes.Load(y + (0L * yStride));
            b0 = TLanes.Load(y + (0L * yStride) + TLanes.Rows);
            a1 = TLanes.Load(y + (1L * yStride));
            b1 = TLanes.Load(y + (1L * yStride) + TLanes.Rows);
            a2 = TLanes.Load(y + (2L * yStride));
            b2 = TLanes.Load(y + (2L * yStride) + TLanes.Rows);
            a3 = TLanes.Load(y + (3L * yStride));
            b3 = TLanes.Load(y + (3L * yStride) + TLanes.Rows);
            a4 = TLanes.Load(y + (4L * yStride));
            b4 = TLanes.Load(y + (4L * yStride) + TLanes.Rows);
            a5 = TLanes.Load(y + (5L * yStride));
            b5 = TLanes.Load(y + (5L * yStride) + TLanes.Rows);
            a6 = TLanes.Load(y + (6L * yStride));
            b6 = TLanes.Load(y + (6L * yStride) + TLanes.Rows);
            a7 = TLanes.Load(y + (7L * yStride));
            b7 = TLanes.Load(y + (7L * yStride) + TLanes.Rows);
        }

        for (int c = 0; c < columns; c++, panel += 2 * TLanes.Rows, values += ActivationRows.TileRows)
        {
            TLanes first = TLanes.Load(panel);
            TLanes second = TLanes.Load(panel + TLanes.Rows);
            TLanes x0 = TLanes.Broadcast(values[0]);
            a0 = TLanes.FusedMultiplyAdd(first, x0, a0);
            b0 = TLanes.FusedMultiplyAdd(second, x0, b0);
            TLanes x1 = TLanes.Broadcast(values[1]);
            a1 = TLanes.FusedMultiplyAdd(first, x1, a1);
            b1 = TLanes.FusedMultiplyAdd(second, x1, b1);
            TLanes x2 = TLanes.Broadcast(values[2]);
            a2 = TLanes.FusedMultiplyAdd(first, x2, a2);
            b2 = TLanes.FusedMultiplyAdd(second, x2, b2);
            TLanes x3 = TLanes.Broadcast(values[3]);
            a3 = TLanes.FusedMultiplyAdd(first, x3, a3);
            b3 = TLanes.FusedMultiplyAdd(second, x3, b3);
            TLanes x4 = TLanes.Broadcast(values[4]);
            a4 = TLanes.FusedMultiplyAdd(first, x4, a4);
            b4 = TLanes.FusedMultiplyAdd(second, x4, b4);
            TLanes x5 = TLanes.Broadcast(values[5]);
            a5 = TLanes.FusedMultiplyAdd(first, x5, a5);
            b5 = TLanes.FusedMultiplyAdd(second, x5, b5);
            TLanes x6 = TLanes.Broadcast(values[6]);
            a6 = TLanes.FusedMultiplyAdd(first, x6, a6);
            b6 = TLanes.FusedMultiplyAdd(second, x6, b6);
            TLanes x7 = TLanes.Broadcast(values[7]);
            a7 = TLanes.FusedMultiplyAdd(first, x7, a7);
            b7 = TLanes.FusedMultiplyAdd(second, x7, b7);
        }

        TLanes.Store(a0, y + (0L * yStride));
        TLanes.Store(b0, y + (0L * yStride) + TLanes.Rows);
        TLanes.Store(a1, y + (1L * yStride));
        TLanes.Store(b1, y + (1L * yStride) + TLanes.Rows);
        TLanes.Store(a2, y + (2L * yStride));
        TLanes.Store(b2, y + (2L * yStride) + TLanes.Rows);
        TLanes.Store(a3, y + (3L * yStride));
        TLanes.Store(b3, y + (3L * yStride) + TLanes.Rows);
        TLanes.Store(a4, y + (4L * yStride));
        TLanes.Store(b4, y + (4L * yStride) + TLanes.Rows);
        TLanes.Store(a5, y + (5L * yStride));
        TLanes.Store(b5, y + (5L * yStride) + TLanes.Rows);
        TLanes.Store(a6, y + (6L * yStride));
        TLanes.Store(b6, y + (6L * yStride) + TLanes.Rows);
        TLanes.Store(a7, y + (7L * yStride));
        TLanes.Store(b7, y + (7L * yStride) + TLanes.Rows);
    }

    /// <summary>4 activation rows with the outputs of two registers: goes on with the sums in y, or starts them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(float* panel, float* values, int columns, float* y, int yStride, bool start)
    {
        TLanes a0 = TLanes.Zero, b0 = TLanes.Zero;
        TLanes a1 = TLanes.Zero, b1 = TLanes.Zero;
        TLanes a2 = TLanes.Zero, b2 = TLanes.Zero;
        TLanes a3 = TLanes.Zero, b3 = TLanes.Zero;
        if (!start)
        {
            a0 = TLanes.Load(y + (0L * yStride));
            b0 = TLanes.Load(y + (0L * yStride) + TLanes.Rows);
            a1 = TLanes.Load(y + (1L * yStride));
            b1 = TLanes.Load(y + (1L * yStride) + TLanes.Rows);
            a2 = TLanes.Load(y + (2L * yStride));
            b2 = TLanes.Load(y + (2L * yStride) + TLanes.Rows);
            a3 = TLanes.Load(y + (3L * yStride));
            b3 = TLanes.Load(y + (3L * yStride) + TLanes.Rows);
        }

        for (int c = 0; c < columns; c++, panel += 2 * TLanes.Rows, values += ActivationRows.TileRows)
        {
            TLanes first = TLanes.Load(panel);
            TLanes second = TLanes.Load(panel + TLanes.Rows);
            TLanes x0 = TLanes.Broadcast(values[0]);
            a0 = TLanes.FusedMultiplyAdd(first, x0, a0);
            b0 = TLanes.FusedMultiplyAdd(second, x0, b0);
            TLanes x1 = TLanes.Broadcast(values[1]);
            a1 = TLanes.FusedMultiplyAdd(first, x1, a1);
            b1 = TLanes.FusedMultiplyAdd(second, x1, b1);
            TLanes x2 = TLanes.Broadcast(values[2]);
            a2 = TLanes.FusedMultiplyAdd(first, x2, a2);
            b2 = TLanes.FusedMultiplyAdd(second, x2, b2);
            TLanes x3 = TLanes.Broadcast(values[3]);
            a3 = TLanes.FusedMultiplyAdd(first, x3, a3);
            b3 = TLanes.FusedMultiplyAdd(second, x3, b3);
        }

        TLanes.Store(a0, y + (0L * yStride));
        TLanes.Store(b0, y + (0L * yStride) + TLanes.Rows);
        TLanes.Store(a1, y + (1L * yStride));
        TLanes.Store(b1, y + (1L * yStride) + TLanes.Rows);
        TLanes.Store(a2, y + (2L * yStride));
        TLanes.Store(b2, y + (2L * yStride) + TLanes.Rows);
        TLanes.Store(a3, y + (3L * yStride));
        TLanes.Store(b3, y + (3L * yStride) + TLanes.Rows);
    }

    /// <summary>One activation row of a tile with the outputs of one or two registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(float* panel, float* values, int columns, float* y, bool second, bool start)
    {
        TLanes a = start ? TLanes.Zero : TLanes.Load(y);
        TLanes b = start || !second ? TLanes.Zero : TLanes.Load(y + TLanes.Rows);
        for (int c = 0; c < columns; c++, panel += 2 * TLanes.Rows, values += ActivationRows.TileRows)
        {
            TLanes x = TLanes.Broadcast(*values);
            a = TLanes.FusedMultiplyAdd(TLanes.Load(panel), x, a);
            b = TLanes.FusedMultiplyAdd(TLanes.Load(panel + TLanes.Rows), x, b);
        }

        TLanes.Store(a, y);
        if (second) TLanes.Store(b, y + TLanes.Rows);
    }

    // A row's sum is one chain of additions: four registers of outputs at a time hide how long each takes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOne(PackedMatrix weights, int firstGroup, int endGroup, float* x, float* y)
    {
        int outputs = (endGroup - firstGroup) * PackedUnit.Rows;
        int output = 0;
        long inGroup = weights.GroupBytes - Prefetch.BytesAhead;
        long skipped = ((4 * TLanes.Rows / PackedUnit.Rows) - 1) * weights.GroupBytes;
        for (; output + (4 * TLanes.Rows) <= outputs; output += 4 * TLanes.Rows)
        {
            byte* p = Start(weights, firstGroup, output, 0);
            byte* q = Start(weights, firstGroup, output, 1);
            byte* r = Start(weights, firstGroup, output, 2);
            byte* s = Start(weights, firstGroup, output, 3);
            TLanes a = TLanes.Zero, b = TLanes.Zero, c = TLanes.Zero, d = TLanes.Zero;
            int rowB = (output + TLanes.Rows) % PackedUnit.Rows;
            int rowC = (output + (2 * TLanes.Rows)) % PackedUnit.Rows;
            int rowD = (output + (3 * TLanes.Rows)) % PackedUnit.Rows;
            for (int i = 0; i < weights.Columns; i++)
            {
                TLanes value = TLanes.Broadcast(x[i]);
                long at = (long)i * TFormat.UnitBytes;
                if (at % Prefetch.LineBytes == 0)
                {
                    // What follows the end of a group here is the start of the one four registers on: the others have been read.
                    long ahead = at < inGroup ? at : at + skipped;
                    Prefetch.Ahead(p + ahead, Prefetch.LineBytes);
                    Prefetch.Ahead(q + ahead, Prefetch.LineBytes);
                    Prefetch.Ahead(r + ahead, Prefetch.LineBytes);
                    Prefetch.Ahead(s + ahead, Prefetch.LineBytes);
                }

                a = TLanes.FusedMultiplyAdd(TFormat.Load<TLanes>(p + at, output % PackedUnit.Rows), value, a);
                b = TLanes.FusedMultiplyAdd(TFormat.Load<TLanes>(q + at, rowB), value, b);
                c = TLanes.FusedMultiplyAdd(TFormat.Load<TLanes>(r + at, rowC), value, c);
                d = TLanes.FusedMultiplyAdd(TFormat.Load<TLanes>(s + at, rowD), value, d);
            }

            TLanes.Store(a, y + output);
            TLanes.Store(b, y + output + TLanes.Rows);
            TLanes.Store(c, y + output + (2 * TLanes.Rows));
            TLanes.Store(d, y + output + (3 * TLanes.Rows));
        }

        for (; output < outputs; output += TLanes.Rows)
        {
            byte* p = Start(weights, firstGroup, output, 0);
            TLanes a = TLanes.Zero;
            for (int i = 0; i < weights.Columns; i++, p += TFormat.UnitBytes)
                a = TLanes.FusedMultiplyAdd(TFormat.Load<TLanes>(p, output % PackedUnit.Rows), TLanes.Broadcast(x[i]), a);
            TLanes.Store(a, y + output);
        }
    }

    private static byte* Start(PackedMatrix weights, int firstGroup, int output, int register) =>
        weights.Group(firstGroup + ((output + (register * TLanes.Rows)) / PackedUnit.Rows));
}
