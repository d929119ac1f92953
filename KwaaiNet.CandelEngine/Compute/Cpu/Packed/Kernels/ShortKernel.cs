using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>Products of 16-bit activations with Q8_0's bytes.</summary>
/// <remarks>
/// Two bytes multiplied and added overflow 16 bits, so bytes are widened and pairs summed to 32 bits: and then activations may as well
/// have 16 bits, which leaves their rounding a hundred times below that of the weights. For each row and block of 32 columns, in order: the
/// exact integer sum, then <c>y = fma(sum, scale of weights · scale of activations, y)</c>.
/// </remarks>
internal static unsafe class ShortKernel<TLanes> where TLanes : struct, IRowLanes<TLanes>
{
    private const int LineBytes = ActivationRows.TileRows * sizeof(int);
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
        for (int u = 0; u < units; u++, unit += PackedQ8_0.UnitBytes, corrections += CorrectionBytes)
        {
            if (row == 0) Prefetch.Ahead(unit, PackedQ8_0.UnitBytes);
            TLanes d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero, d4 = TLanes.Zero, d5 = TLanes.Zero, d6 = TLanes.Zero, d7 = TLanes.Zero;
            byte* line = unit + PackedQ8_0.Lines + (2 * row);
            for (int i = 0; i < 16; i++, line += PackedQ8_0.LineBytes, values += LineBytes)
            {
                TLanes weights = TLanes.LoadSBytePairs((sbyte*)line);
                d0 = TLanes.AddIntegers(d0, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[0])));
                d1 = TLanes.AddIntegers(d1, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[1])));
                d2 = TLanes.AddIntegers(d2, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[2])));
                d3 = TLanes.AddIntegers(d3, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[3])));
                d4 = TLanes.AddIntegers(d4, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[4])));
                d5 = TLanes.AddIntegers(d5, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[5])));
                d6 = TLanes.AddIntegers(d6, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[6])));
                d7 = TLanes.AddIntegers(d7, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[7])));
            }

            TLanes scale = TLanes.LoadScales((ushort*)unit + row);
            f0 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d0), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[0])), f0);
            f1 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d1), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[1])), f1);
            f2 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d2), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[2])), f2);
            f3 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d3), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[3])), f3);
            f4 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d4), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[4])), f4);
            f5 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d5), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[5])), f5);
            f6 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d6), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[6])), f6);
            f7 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d7), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[7])), f7);
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
        for (int u = 0; u < units; u++, unit += PackedQ8_0.UnitBytes, corrections += CorrectionBytes)
        {
            TLanes d0 = TLanes.Zero, d1 = TLanes.Zero, d2 = TLanes.Zero, d3 = TLanes.Zero;
            byte* line = unit + PackedQ8_0.Lines + (2 * row);
            for (int i = 0; i < 16; i++, line += PackedQ8_0.LineBytes, values += LineBytes)
            {
                TLanes weights = TLanes.LoadSBytePairs((sbyte*)line);
                d0 = TLanes.AddIntegers(d0, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[0])));
                d1 = TLanes.AddIntegers(d1, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[1])));
                d2 = TLanes.AddIntegers(d2, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[2])));
                d3 = TLanes.AddIntegers(d3, TLanes.MultiplyPairs(weights, TLanes.Broadcast(((int*)values)[3])));
            }

            TLanes scale = TLanes.LoadScales((ushort*)unit + row);
            f0 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d0), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[0])), f0);
            f1 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d1), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[1])), f1);
            f2 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d2), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[2])), f2);
            f3 = TLanes.FusedMultiplyAdd(TLanes.ToFloat(d3), TLanes.Multiply(scale, TLanes.Broadcast(((float*)corrections)[3])), f3);
        }

        TLanes.Store(f0, y);
        TLanes.Store(f1, y + (1L * yStride));
        TLanes.Store(f2, y + (2L * yStride));
        TLanes.Store(f3, y + (3L * yStride));
    }

    /// <summary>One activation row, whatever the slots of its tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* unit, int units, byte* values, byte* corrections, int slots, int row, float* y)
    {
        int valueLine = slots * sizeof(int);
        TLanes f = TLanes.Zero;
        for (int u = 0; u < units; u++, unit += PackedQ8_0.UnitBytes, corrections += ActivationRows.Corrections * valueLine)
        {
            if (row == 0) Prefetch.Ahead(unit, PackedQ8_0.UnitBytes);
            TLanes even = TLanes.Zero;
            TLanes odd = TLanes.Zero;
            byte* line = unit + PackedQ8_0.Lines + (2 * row);
            for (int i = 0; i < 16; i += 2, line += 2 * PackedQ8_0.LineBytes, values += 2 * valueLine)
            {
                even = TLanes.AddIntegers(even, TLanes.MultiplyPairs(TLanes.LoadSBytePairs((sbyte*)line), TLanes.Broadcast(*(int*)values)));
                odd = TLanes.AddIntegers(
                    odd, TLanes.MultiplyPairs(TLanes.LoadSBytePairs((sbyte*)line + PackedQ8_0.LineBytes), TLanes.Broadcast(*(int*)(values + valueLine))));
            }

            TLanes scale = TLanes.LoadScales((ushort*)unit + row);
            f = TLanes.FusedMultiplyAdd(TLanes.ToFloat(TLanes.AddIntegers(even, odd)), TLanes.Multiply(scale, TLanes.Broadcast(*(float*)corrections)), f);
        }

        TLanes.Store(f, y);
    }
}
