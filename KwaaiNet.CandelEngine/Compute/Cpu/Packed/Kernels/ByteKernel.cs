using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>Products of 8-bit activations with weights of 4 to 6 bits.</summary>
/// <remarks>
/// For each row and block of 32 columns, in order: the exact integer sum, then <c>y = fma(sum, scale of weights · scale of activations, y)</c>
/// and, where weights have one, <c>y = fma(minimum, scale · Σ activations, y)</c>. Accumulators are named so that they stay in
/// registers: as an array, and even as a struct passed along, they would be spilled.
/// </remarks>
internal static unsafe class ByteKernel<TLanes, TFormat>
    where TLanes : struct, IRowLanes<TLanes>
    where TFormat : struct, IByteFormat
{
    // In a full tile a step is two lines of 8 slots of 4 bytes; a block has 4 corrections of 8 slots.
    private const int StepBytes = 2 * ActivationRows.TileRows * sizeof(int);
    private const int CorrectionBytes = ActivationRows.Corrections * ActivationRows.TileRows * sizeof(int);

    /// <inheritdoc cref="PackedKernels.Multiply"/>
    internal static void Multiply(PackedMatrix weights, int firstGroup, int endGroup, ActivationRows x, float* y, int yStride)
    {
        for (int group = firstGroup; group < endGroup; group++, y += PackedUnit.Rows)
        {
            byte* units = weights.Group(group);
            for (int row = 0; row < PackedUnit.Rows; row += TLanes.Rows)
            {
                if (x.Slots == 1)
                {
                    Tile1(units, weights.Units, x.Values, x.CorrectionData, 1, row, y + row);
                    continue;
                }

                for (int tile = 0; tile < x.Tiles; tile++)
                {
                    byte* values = x.Tile(tile);
                    byte* corrections = x.TileCorrections(tile);
                    float* target = y + ((long)tile * ActivationRows.TileRows * yStride) + row;
                    int rows = Math.Min(ActivationRows.TileRows, x.Rows - (tile * ActivationRows.TileRows));
                    int done = 0;
                    if (TLanes.TileRows == 8 && rows == 8)
                    {
                        Tile8(units, weights.Units, values, corrections, row, target, yStride);
                        continue;
                    }

                    for (; done + 4 <= rows; done += 4)
                        Tile4(units, weights.Units, values + (done * sizeof(int)), corrections + (done * sizeof(int)), row, target + ((long)done * yStride), yStride);
                    for (; done < rows; done++)
                        Tile1(units, weights.Units, values + (done * sizeof(int)), corrections + (done * sizeof(int)), ActivationRows.TileRows, row, target + ((long)done * yStride));
                }
            }
        }
    }

    /// <summary>8 activation rows with the outputs of one register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8(byte* unit, int units, byte* values, byte* corrections, int row, float* y, int yStride)
    {
        TLanes f0 = TLanes.Zero, f1 = TLanes.Zero, f2 = TLanes.Zero, f3 = TLanes.Zero, f4 = TLanes.Zero, f5 = TLanes.Zero, f6 = TLanes.Zero, f7 = TLanes.Zero;
        for (int u = 0; u < units; u++, unit += TFormat.UnitBytes)
        {
            for (int block = 0; block < TFormat.Columns / 32; block++, corrections += CorrectionBytes)
            {
                if (row == 0) Prefetch.Ahead(unit + (block * (TFormat.UnitBytes / (TFormat.Columns / 32))), TFormat.UnitBytes / (TFormat.Columns / 32));
                TLanes a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero, a4 = TLanes.Zero, a5 = TLanes.Zero, a6 = TLanes.Zero, a7 = TLanes.Zero;
                TLanes d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero, d4 = TLanes.Zero, d5 = TLanes.Zero, d6 = TLanes.Zero, d7 = TLanes.Zero;
                TLanes high = TLanes.Zero;
                for (int step = 0; step < 4; step++, values += StepBytes)
                {
                    high = TFormat.High(unit, block, step, row, high);
                    TFormat.Step(unit, block, step, row, high, out TLanes first, out TLanes second);
                    a0 = TLanes.AddBytes(a0, first, Four(values, 0));
                    a1 = TLanes.AddBytes(a1, first, Four(values, 1));
                    a2 = TLanes.AddBytes(a2, first, Four(values, 2));
                    a3 = TLanes.AddBytes(a3, first, Four(values, 3));
                    a4 = TLanes.AddBytes(a4, first, Four(values, 4));
                    a5 = TLanes.AddBytes(a5, first, Four(values, 5));
                    a6 = TLanes.AddBytes(a6, first, Four(values, 6));
                    a7 = TLanes.AddBytes(a7, first, Four(values, 7));
                    a0 = TLanes.AddBytes(a0, second, Four(values, 8));
                    a1 = TLanes.AddBytes(a1, second, Four(values, 9));
                    a2 = TLanes.AddBytes(a2, second, Four(values, 10));
                    a3 = TLanes.AddBytes(a3, second, Four(values, 11));
                    a4 = TLanes.AddBytes(a4, second, Four(values, 12));
                    a5 = TLanes.AddBytes(a5, second, Four(values, 13));
                    a6 = TLanes.AddBytes(a6, second, Four(values, 14));
                    a7 = TLanes.AddBytes(a7, second, Four(values, 15));
                    if (TFormat.StepsPerSum == 4 || (step + 1) % TFormat.StepsPerSum != 0) continue;

                    if (TFormat.ScaledHalves)
                    {
                        TLanes half = TLanes.PrepareScales(TFormat.HalfScale<TLanes>(unit, block, step / 2, row));
                        d0 = TLanes.AddIntegers(d0, TLanes.EndBytes(a0, half));
                        d1 = TLanes.AddIntegers(d1, TLanes.EndBytes(a1, half));
                        d2 = TLanes.AddIntegers(d2, TLanes.EndBytes(a2, half));
                        d3 = TLanes.AddIntegers(d3, TLanes.EndBytes(a3, half));
                        d4 = TLanes.AddIntegers(d4, TLanes.EndBytes(a4, half));
                        d5 = TLanes.AddIntegers(d5, TLanes.EndBytes(a5, half));
                        d6 = TLanes.AddIntegers(d6, TLanes.EndBytes(a6, half));
                        d7 = TLanes.AddIntegers(d7, TLanes.EndBytes(a7, half));
                    }
                    else
                    {
                        d0 = TLanes.AddIntegers(d0, TLanes.EndBytes(a0));
                        d1 = TLanes.AddIntegers(d1, TLanes.EndBytes(a1));
                        d2 = TLanes.AddIntegers(d2, TLanes.EndBytes(a2));
                        d3 = TLanes.AddIntegers(d3, TLanes.EndBytes(a3));
                        d4 = TLanes.AddIntegers(d4, TLanes.EndBytes(a4));
                        d5 = TLanes.AddIntegers(d5, TLanes.EndBytes(a5));
                        d6 = TLanes.AddIntegers(d6, TLanes.EndBytes(a6));
                        d7 = TLanes.AddIntegers(d7, TLanes.EndBytes(a7));
                    }

                    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = TLanes.Zero;
                }

                TLanes scale = TFormat.Scale<TLanes>(unit, block, row);
                TLanes pair = TFormat.ScaledHalves ? HalfScales(unit, block, row) : TLanes.Zero;
                TLanes minimum = TFormat.HasMinimum ? TFormat.Minimum<TLanes>(unit, block, row) : TLanes.Zero;
                f0 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a0) : d0, scale, pair, minimum, corrections, 0, f0);
                f1 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a1) : d1, scale, pair, minimum, corrections, 1, f1);
                f2 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a2) : d2, scale, pair, minimum, corrections, 2, f2);
                f3 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a3) : d3, scale, pair, minimum, corrections, 3, f3);
                f4 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a4) : d4, scale, pair, minimum, corrections, 4, f4);
                f5 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a5) : d5, scale, pair, minimum, corrections, 5, f5);
                f6 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a6) : d6, scale, pair, minimum, corrections, 6, f6);
                f7 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a7) : d7, scale, pair, minimum, corrections, 7, f7);
            }
        }

        TLanes.Store(f0, y);
        TLanes.Store(f1, y + (1L * yStride));
        TLanes.Store(f2, y + (2L * yStride));
        TLanes.Store(f3, y + (3L * yStride));
        TLanes.Store(f4, y + (4L * yStride));
        TLanes.Store(f5, y + (5L * yStride));
        TLanes.Store(f6, y + (6L * yStride));
        TLanes.Store(f7, y + (7L * yStride));
    }

    /// <summary>4 activation rows with the outputs of one register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* unit, int units, byte* values, byte* corrections, int row, float* y, int yStride)
    {
        TLanes f0 = TLanes.Zero, f1 = TLanes.Zero, f2 = TLanes.Zero, f3 = TLanes.Zero;
        for (int u = 0; u < units; u++, unit += TFormat.UnitBytes)
        {
            for (int block = 0; block < TFormat.Columns / 32; block++, corrections += CorrectionBytes)
            {
                TLanes a0 = TLanes.Zero, a1 = TLanes.Zero, a2 = TLanes.Zero, a3 = TLanes.Zero;
                TLanes d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero;
                TLanes high = TLanes.Zero;
                for (int step = 0; step < 4; step++, values += StepBytes)
                {
                    high = TFormat.High(unit, block, step, row, high);
                    TFormat.Step(unit, block, step, row, high, out TLanes first, out TLanes second);
                    a0 = TLanes.AddBytes(a0, first, Four(values, 0));
                    a1 = TLanes.AddBytes(a1, first, Four(values, 1));
                    a2 = TLanes.AddBytes(a2, first, Four(values, 2));
                    a3 = TLanes.AddBytes(a3, first, Four(values, 3));
                    a0 = TLanes.AddBytes(a0, second, Four(values, 8));
                    a1 = TLanes.AddBytes(a1, second, Four(values, 9));
                    a2 = TLanes.AddBytes(a2, second, Four(values, 10));
                    a3 = TLanes.AddBytes(a3, second, Four(values, 11));
                    if (TFormat.StepsPerSum == 4 || (step + 1) % TFormat.StepsPerSum != 0) continue;

                    if (TFormat.ScaledHalves)
                    {
                        TLanes half = TLanes.PrepareScales(TFormat.HalfScale<TLanes>(unit, block, step / 2, row));
                        d0 = TLanes.AddIntegers(d0, TLanes.EndBytes(a0, half));
                        d1 = TLanes.AddIntegers(d1, TLanes.EndBytes(a1, half));
                        d2 = TLanes.AddIntegers(d2, TLanes.EndBytes(a2, half));
                        d3 = TLanes.AddIntegers(d3, TLanes.EndBytes(a3, half));
                    }
                    else
                    {
                        d0 = TLanes.AddIntegers(d0, TLanes.EndBytes(a0));
                        d1 = TLanes.AddIntegers(d1, TLanes.EndBytes(a1));
                        d2 = TLanes.AddIntegers(d2, TLanes.EndBytes(a2));
                        d3 = TLanes.AddIntegers(d3, TLanes.EndBytes(a3));
                    }

                    a0 = a1 = a2 = a3 = TLanes.Zero;
                }

                TLanes scale = TFormat.Scale<TLanes>(unit, block, row);
                TLanes pair = TFormat.ScaledHalves ? HalfScales(unit, block, row) : TLanes.Zero;
                TLanes minimum = TFormat.HasMinimum ? TFormat.Minimum<TLanes>(unit, block, row) : TLanes.Zero;
                f0 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a0) : d0, scale, pair, minimum, corrections, 0, f0);
                f1 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a1) : d1, scale, pair, minimum, corrections, 1, f1);
                f2 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a2) : d2, scale, pair, minimum, corrections, 2, f2);
                f3 = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a3) : d3, scale, pair, minimum, corrections, 3, f3);
            }
        }

        TLanes.Store(f0, y);
        TLanes.Store(f1, y + (1L * yStride));
        TLanes.Store(f2, y + (2L * yStride));
        TLanes.Store(f3, y + (3L * yStride));
    }

    /// <summary>One activation row, whatever the slots of its tile: reading weights is what takes the time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* unit, int units, byte* values, byte* corrections, int slots, int row, float* y)
    {
        int line = slots * sizeof(int);
        TLanes f = TLanes.Zero;
        for (int u = 0; u < units; u++, unit += TFormat.UnitBytes)
        {
            for (int block = 0; block < TFormat.Columns / 32; block++, corrections += ActivationRows.Corrections * line)
            {
                if (row == 0) Prefetch.Ahead(unit + (block * (TFormat.UnitBytes / (TFormat.Columns / 32))), TFormat.UnitBytes / (TFormat.Columns / 32));
                TLanes a = TLanes.Zero;
                TLanes d = TLanes.Zero;
                TLanes high = TLanes.Zero;
                for (int step = 0; step < 4; step++, values += 2 * line)
                {
                    high = TFormat.High(unit, block, step, row, high);
                    TFormat.Step(unit, block, step, row, high, out TLanes first, out TLanes second);
                    a = TLanes.AddBytes(a, first, TLanes.Broadcast(*(int*)values));
                    a = TLanes.AddBytes(a, second, TLanes.Broadcast(*(int*)(values + line)));
                    if (TFormat.StepsPerSum == 4 || (step + 1) % TFormat.StepsPerSum != 0) continue;

                    d = TLanes.AddIntegers(d, TFormat.ScaledHalves
                        ? TLanes.EndBytes(a, TLanes.PrepareScales(TFormat.HalfScale<TLanes>(unit, block, step / 2, row)))
                        : TLanes.EndBytes(a));
                    a = TLanes.Zero;
                }

                TLanes scale = TFormat.Scale<TLanes>(unit, block, row);
                TLanes pair = TFormat.ScaledHalves ? HalfScales(unit, block, row) : TLanes.Zero;
                TLanes minimum = TFormat.HasMinimum ? TFormat.Minimum<TLanes>(unit, block, row) : TLanes.Zero;
                f = Finish(TFormat.StepsPerSum == 4 ? TLanes.EndBytes(a) : d, scale, pair, minimum, corrections, slots, 0, f);
            }
        }

        TLanes.Store(f, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Four(byte* values, int slot) => TLanes.Broadcast(((int*)values)[slot]);

    // The two integer scales of a block, for one product with the two sums of its halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes HalfScales(byte* unit, int block, int row) => TLanes.Or(
        TLanes.And(TFormat.HalfScale<TLanes>(unit, block, 0, row), TLanes.Broadcast(0xFFFF)),
        TLanes.ShiftLeft32(TFormat.HalfScale<TLanes>(unit, block, 1, row), 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Finish(TLanes sum, TLanes scale, TLanes pair, TLanes minimum, byte* corrections, int slot, TLanes y) =>
        Finish(sum, scale, pair, minimum, corrections, ActivationRows.TileRows, slot, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Finish(TLanes sum, TLanes scale, TLanes pair, TLanes minimum, byte* corrections, int slots, int slot, TLanes y)
    {
        if (TFormat.LessEight) sum = TLanes.SubtractIntegers(sum, TLanes.Broadcast(((int*)corrections)[slots + slot]));
        if (TFormat.ScaledHalves)
            sum = TLanes.SubtractIntegers(sum, TLanes.ShiftLeft32(TLanes.MultiplyPairs(pair, TLanes.Broadcast(((int*)corrections)[(3 * slots) + slot])), 5));
        y = TLanes.FusedMultiplyAdd(TLanes.ToFloat(sum), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[slot])), y);
        return TFormat.HasMinimum ? TLanes.FusedMultiplyAdd(minimum, TLanes.Broadcast(((float*)corrections)[(2 * slots) + slot]), y) : y;
    }
}
