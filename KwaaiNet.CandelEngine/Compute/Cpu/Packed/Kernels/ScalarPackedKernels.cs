using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>The kernels as plain loops over packed weights, in the order the vector kernels promise: their oracle in tests, and the last resort.</summary>
internal sealed unsafe class ScalarPackedKernels : PackedKernels
{
    internal override void Multiply(PackedMatrix weights, int firstGroup, int endGroup, ActivationRows x, float* y, int yStride)
    {
        for (int group = firstGroup; group < endGroup; group++)
        {
            for (int row = 0; row < PackedUnit.Rows; row++)
            {
                for (int r = 0; r < x.Rows; r++)
                    y[((long)r * yStride) + ((group - firstGroup) * PackedUnit.Rows) + row] = Dot(weights, weights.Group(group), row, x, r);
            }
        }
    }

    private static float Dot(PackedMatrix weights, byte* group, int row, ActivationRows x, int r) => weights.Type switch
    {
        GgmlType.Q4_0 => Q4_0(group, weights.Units, row, new Row(x, r)),
        GgmlType.Q4_K => KWithMinimum(group, weights.Units, PackedQ4_K.UnitBytes, fifthBits: 0, row, new Row(x, r)),
        GgmlType.Q5_K => KWithMinimum(group, weights.Units, PackedQ5_K.UnitBytes, fifthBits: 64, row, new Row(x, r)),
        GgmlType.Q6_K => Q6_K(group, weights.Units, row, new Row(x, r)),
        GgmlType.Q8_0 => Q8_0(group, weights.Units, row, new Row(x, r)),
        GgmlType.F16 => Floats(weights, row, new Row(x, r), i => (float)((Half*)group)[i]),
        GgmlType.BF16 => Floats(weights, row, new Row(x, r), i => BitConverter.Int32BitsToSingle(((ushort*)group)[i] << 16)),
        GgmlType.F32 => Floats(weights, row, new Row(x, r), i => ((float*)group)[i]),
        _ => throw new ArgumentOutOfRangeException(nameof(weights), weights.Type, null),
    };

    private static float Q4_0(byte* unit, int units, int row, Row x)
    {
        float y = 0;
        for (int block = 0; block < units; block++, unit += PackedQ4_0.UnitBytes)
        {
            int sum = 0;
            for (int c = 0; c < 32; c++) sum += (Nibble(unit + 32, row, c) - 8) * x.Byte((32 * block) + c);
            y = MathF.FusedMultiplyAdd(sum, HalfAt(unit, row) * x.Scale(block), y);
        }

        return y;
    }

    private static float KWithMinimum(byte* unit, int units, int unitBytes, int fifthBits, int row, Row x)
    {
        float y = 0;
        for (int u = 0; u < units; u++, unit += unitBytes)
        {
            byte* at = unit + 64;
            for (int block = 8 * u; block < 8 * (u + 1); block++, at += 32 + fifthBits + 256)
            {
                int sum = 0;
                for (int c = 0; c < 32; c++)
                {
                    int fifth = fifthBits == 0 ? 0 : (at[32 + (row * 4) + (c % 4)] >> (c / 4)) & 1;
                    sum += (Nibble(at + 32 + fifthBits, row, c) | (fifth << 4)) * x.Byte((32 * block) + c);
                }

                y = MathF.FusedMultiplyAdd(sum, HalfAt(unit, row) * at[row] * x.Scale(block), y);
                y = MathF.FusedMultiplyAdd(HalfAt(unit, 16 + row) * -at[16 + row], x.WeightedSum(block), y);
            }
        }

        return y;
    }

    private static float Q6_K(byte* unit, int units, int row, Row x)
    {
        float y = 0;
        for (int u = 0; u < units; u++, unit += PackedQ6_K.UnitBytes)
        {
            byte* at = unit + 32;
            for (int block = 8 * u; block < 8 * (u + 1); block++, at += 32 + 128 + 256)
            {
                int sum = 0;
                for (int c = 0; c < 32; c++)
                {
                    int upper = (at[32 + (c / 16 * 64) + (row * 4) + (c % 4)] >> (c % 16 / 4 * 2)) & 3;
                    sum += (sbyte)at[(c / 16 * 16) + row] * ((Nibble(at + 160, row, c) | (upper << 4)) - 32) * x.Byte((32 * block) + c);
                }

                y = MathF.FusedMultiplyAdd(sum, HalfAt(unit, row) * x.Scale(block), y);
            }
        }

        return y;
    }

    private static float Q8_0(byte* unit, int units, int row, Row x)
    {
        float y = 0;
        for (int block = 0; block < units; block++, unit += PackedQ8_0.UnitBytes)
        {
            int sum = 0;
            for (int c = 0; c < 32; c++) sum += (sbyte)unit[32 + (c / 2 * 32) + (row * 2) + (c % 2)] * x.Short((32 * block) + c);
            y = MathF.FusedMultiplyAdd(sum, HalfAt(unit, row) * x.Scale(block), y);
        }

        return y;
    }

    private static float Floats(PackedMatrix weights, int row, Row x, Func<int, float> weight)
    {
        float y = 0;
        for (int c = 0; c < weights.Columns; c++) y = MathF.FusedMultiplyAdd(weight((c * 16) + row), x.Single(c), y);
        return y;
    }

    private static int Nibble(byte* lines, int row, int column)
    {
        int two = lines[(column / 8 * 64) + (row * 4) + (column % 4)];
        return column % 8 < 4 ? two & 15 : two >> 4;
    }

    private static float HalfAt(byte* unit, int index) => (float)((Half*)unit)[index];

    /// <summary>One row of <see cref="ActivationRows"/>, number by number.</summary>
    private readonly struct Row(ActivationRows rows, int row)
    {
        private readonly int _slots = rows.Slots;
        private readonly int* _values = (int*)rows.Tile(row / rows.Slots) + (row % rows.Slots);
        private readonly int* _corrections = (int*)rows.TileCorrections(row / rows.Slots) + (row % rows.Slots);

        internal int Byte(int column) => (sbyte)(_values[column / 4 * _slots] >> (column % 4 * 8));

        internal int Short(int column) => (short)(_values[column / 2 * _slots] >> (column % 2 * 16));

        internal float Single(int column) => BitConverter.Int32BitsToSingle(_values[column * _slots]);

        internal float Scale(int block) => BitConverter.Int32BitsToSingle(_corrections[block * ActivationRows.Corrections * _slots]);

        internal float WeightedSum(int block) => BitConverter.Int32BitsToSingle(_corrections[((block * ActivationRows.Corrections) + 2) * _slots]);
    }
}
