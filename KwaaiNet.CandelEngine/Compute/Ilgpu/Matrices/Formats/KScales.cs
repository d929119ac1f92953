using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>The scales and minima of a super-block of Q4_K or Q5_K: a number is <c>d · scale · n − dmin · minimum</c>.</summary>
internal static class KScales
{
    internal static int Scale(Quad scales, int group) => ((group < 4 ? scales.X : scales.Y) >> (8 * (group & 3))) & 255;

    internal static int Minimum(Quad scales, int group) => ((group < 4 ? scales.Z : scales.W) >> (8 * (group & 3))) & 255;

    internal static float Add(float sum, Quad scales, int super, int group, int dot, BlockScale x) => Add(
        sum,
        DeviceMath.HalfToSingle(super & 0xFFFF),
        DeviceMath.HalfToSingle((super >> 16) & 0xFFFF),
        Scale(scales, group),
        Minimum(scales, group),
        dot,
        x);

    /// <summary>The term of a block: what the minima take away, then what the scales give. Every kernel does these operations in this order.</summary>
    internal static float Add(float sum, float d, float dmin, int scale, int minimum, int dot, BlockScale x)
    {
        return Add(sum, d, Rounded.Multiply(-dmin, minimum), scale, dot, x);
    }

    internal static float Decode(Quad scales, int super, int group, int number) =>
        Rounded.Add(
            Rounded.Multiply(Rounded.Multiply(DeviceMath.HalfToSingle(super & 0xFFFF), Scale(scales, group)), number),
            -Rounded.Multiply(DeviceMath.HalfToSingle((super >> 16) & 0xFFFF), Minimum(scales, group)));

    /// <summary>The scales of four blocks of four rows: of each row a word of scales and one of minima.</summary>
    internal static RowScales Load(ArrayView<Quad> scales, ArrayView<int> supers, int chunk, int four)
    {
        RowScales rows;
        rows.First = Words(scales[chunk], four);
        rows.Second = Words(scales[chunk + 1], four);
        rows.Third = Words(scales[chunk + 2], four);
        rows.Fourth = Words(scales[chunk + 3], four);
        rows.Supers.X = supers[chunk];
        rows.Supers.Y = supers[chunk + 1];
        rows.Supers.Z = supers[chunk + 2];
        rows.Supers.W = supers[chunk + 3];
        return rows;
    }

    /// <summary>The scales of one of the four.</summary>
    internal static WeightBlock Block(RowScales rows, int index)
    {
        WeightBlock block;
        block.Upper = Half(rows.First, rows.Second, rows.Supers.X, rows.Supers.Y, 8 * index);
        block.Lower = Half(rows.Third, rows.Fourth, rows.Supers.Z, rows.Supers.W, 8 * index);
        return block;
    }

    /// <summary>The terms of a block.</summary>
    internal static Sums Add(Sums sums, HalfBlock weights, OperandBlock x)
    {
        Quad dots = TensorOperands.Product(weights, x.Words);
        Sums next;
        next.A = Add(sums.A, weights.Scale, weights.Less, weights.Factor, dots.X, x.First);
        next.B = Add(sums.B, weights.Scale, weights.Less, weights.Factor, dots.Y, x.Second);
        next.C = Add(sums.C, weights.OtherScale, weights.OtherLess, weights.OtherFactor, dots.Z, x.First);
        next.D = Add(sums.D, weights.OtherScale, weights.OtherLess, weights.OtherFactor, dots.W, x.Second);
        return next;
    }

    // The operations of the other Add, with dmin · minimum at hand.
    private static float Add(float sum, float d, float less, int scale, int dot, BlockScale x) =>
        Rounded.Fma(Rounded.Multiply(d, x.Scale), scale * dot, Rounded.Fma(less, x.Sum, sum));

    private static Duo Words(Quad scales, int four)
    {
        Duo words;
        words.X = (four & 1) == 0 ? scales.X : scales.Y;
        words.Y = (four & 1) == 0 ? scales.Z : scales.W;
        return words;
    }

    private static HalfBlock Half(Duo row, Duo other, int super, int otherSuper, int shift)
    {
        HalfBlock half = default;
        half.Scale = DeviceMath.HalfToSingle(super & 0xFFFF);
        half.OtherScale = DeviceMath.HalfToSingle(otherSuper & 0xFFFF);
        half.Less = Rounded.Multiply(-DeviceMath.HalfToSingle((super >> 16) & 0xFFFF), (row.Y >> shift) & 255);
        half.OtherLess = Rounded.Multiply(-DeviceMath.HalfToSingle((otherSuper >> 16) & 0xFFFF), (other.Y >> shift) & 255);
        half.Factor = (row.X >> shift) & 255;
        half.OtherFactor = (other.X >> shift) & 255;
        return half;
    }
}
