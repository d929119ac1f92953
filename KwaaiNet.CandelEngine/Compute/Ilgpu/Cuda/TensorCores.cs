using ILGPU;
using ILGPU.IR.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>
/// Products of small matrices by a whole warp: <c>mma.sync</c> on CUDA (compute capability 8.0 and later). Elsewhere the lanes ask one
/// another for what they hold, which is for tests.
/// </summary>
/// <remarks>
/// Lane 4g + i holds, after "Matrix Fragments for mma.m16n8k32" and its neighbours in the PTX ISA: of the first matrix rows g and g + 8,
/// of the second column g, of the sums rows g and g + 8 and columns 2i and 2i + 1: (g, 2i), (g, 2i + 1), (g + 8, 2i), (g + 8, 2i + 1).
/// Bytes: a0, a1 are columns 4i … 4i+3 of the two rows and a2, a3 columns 16+4i …; b0, b1 are rows 4i … and 16+4i ….
/// Pairs of 16 bits: a0, a1 are columns 2i, 2i+1 of the two rows and a2, a3 columns 8+2i, 9+2i; b0, b1 rows 2i, 2i+1 and 8+2i, 9+2i.
/// </remarks>
internal static class TensorCores
{
    /// <summary>16×32 by 32×8 signed bytes, added to integers.</summary>
    [IntrinsicImplementation]
    internal static Quad Bytes(int a0, int a1, int a2, int a3, int b0, int b1, int c0, int c1, int c2, int c3)
    {
        Quad sum = Of(c0, c1, c2, c3);
        for (int j = 0; j < 4; j++)
        {
            sum = AddBytes(sum, Row(a0, j), Row(a1, j), Column(b0, 0, j), Column(b0, 1, j));
            sum = AddBytes(sum, Row(a2, j), Row(a3, j), Column(b1, 0, j), Column(b1, 1, j));
        }

        return sum;
    }

    /// <summary><see cref="Bytes"/>, but the second matrix is of unsigned bytes.</summary>
    [IntrinsicImplementation]
    internal static Quad MixedBytes(int a0, int a1, int a2, int a3, int b0, int b1, int c0, int c1, int c2, int c3)
    {
        Quad sum = Of(c0, c1, c2, c3);
        for (int j = 0; j < 4; j++)
        {
            sum = AddMixedBytes(sum, Row(a0, j), Row(a1, j), Column(b0, 0, j), Column(b0, 1, j));
            sum = AddMixedBytes(sum, Row(a2, j), Row(a3, j), Column(b1, 0, j), Column(b1, 1, j));
        }

        return sum;
    }

    /// <summary>16×16 by 16×8 signed bytes: the first half of <see cref="Bytes"/>.</summary>
    [IntrinsicImplementation]
    internal static Quad HalfBytes(int a0, int a1, int b0, int c0, int c1, int c2, int c3)
    {
        Quad sum = Of(c0, c1, c2, c3);
        for (int j = 0; j < 4; j++) sum = AddBytes(sum, Row(a0, j), Row(a1, j), Column(b0, 0, j), Column(b0, 1, j));
        return sum;
    }

    /// <summary>16×16 by 16×8 binary16, added to float32.</summary>
    [IntrinsicImplementation]
    internal static Sums Halves(int a0, int a1, int a2, int a3, int b0, int b1, float c0, float c1, float c2, float c3)
    {
        Sums sum = Of(c0, c1, c2, c3);
        for (int j = 0; j < 4; j++)
        {
            sum = AddHalves(sum, Row(a0, j), Row(a1, j), Column(b0, 0, j), Column(b0, 1, j));
            sum = AddHalves(sum, Row(a2, j), Row(a3, j), Column(b1, 0, j), Column(b1, 1, j));
        }

        return sum;
    }

    /// <summary>16×16 by 16×8 bfloat16, added to float32.</summary>
    [IntrinsicImplementation]
    internal static Sums Brains(int a0, int a1, int a2, int a3, int b0, int b1, float c0, float c1, float c2, float c3)
    {
        Sums sum = Of(c0, c1, c2, c3);
        for (int j = 0; j < 4; j++)
        {
            sum = AddBrains(sum, Row(a0, j), Row(a1, j), Column(b0, 0, j), Column(b0, 1, j));
            sum = AddBrains(sum, Row(a2, j), Row(a3, j), Column(b1, 0, j), Column(b1, 1, j));
        }

        return sum;
    }

    // What the lane with this lane's row and part j of the columns holds.
    private static int Row(int mine, int j) => Warp.Shuffle(mine, (Warp.LaneIdx & ~3) | j);

    // What the lane with part j of the rows, and this lane's first or second column of the sums, holds.
    private static int Column(int mine, int second, int j) => Warp.Shuffle(mine, (((2 * (Warp.LaneIdx & 3)) + second) << 2) | j);

    private static Quad AddBytes(Quad sum, int upperRow, int lowerRow, int first, int second)
    {
        sum.X = Dot4.Signed(upperRow, first, sum.X);
        sum.Y = Dot4.Signed(upperRow, second, sum.Y);
        sum.Z = Dot4.Signed(lowerRow, first, sum.Z);
        sum.W = Dot4.Signed(lowerRow, second, sum.W);
        return sum;
    }

    private static Quad AddMixedBytes(Quad sum, int upperRow, int lowerRow, int first, int second)
    {
        sum.X = Dot4.Mixed(upperRow, first, sum.X);
        sum.Y = Dot4.Mixed(upperRow, second, sum.Y);
        sum.Z = Dot4.Mixed(lowerRow, first, sum.Z);
        sum.W = Dot4.Mixed(lowerRow, second, sum.W);
        return sum;
    }

    private static Sums AddHalves(Sums sum, int upperRow, int lowerRow, int first, int second)
    {
        sum.A = HalfPair(upperRow, first, sum.A);
        sum.B = HalfPair(upperRow, second, sum.B);
        sum.C = HalfPair(lowerRow, first, sum.C);
        sum.D = HalfPair(lowerRow, second, sum.D);
        return sum;
    }

    private static Sums AddBrains(Sums sum, int upperRow, int lowerRow, int first, int second)
    {
        sum.A = BrainPair(upperRow, first, sum.A);
        sum.B = BrainPair(upperRow, second, sum.B);
        sum.C = BrainPair(lowerRow, first, sum.C);
        sum.D = BrainPair(lowerRow, second, sum.D);
        return sum;
    }

    private static float HalfPair(int a, int b, float sum) =>
        sum + (DeviceMath.HalfToSingle(a & 0xFFFF) * DeviceMath.HalfToSingle(b & 0xFFFF))
            + (DeviceMath.HalfToSingle((a >> 16) & 0xFFFF) * DeviceMath.HalfToSingle((b >> 16) & 0xFFFF));

    private static float BrainPair(int a, int b, float sum) =>
        sum + (TwoTerms.BrainToSingle(a & 0xFFFF) * TwoTerms.BrainToSingle(b & 0xFFFF))
            + (TwoTerms.BrainToSingle((a >> 16) & 0xFFFF) * TwoTerms.BrainToSingle((b >> 16) & 0xFFFF));

    private static Quad Of(int x, int y, int z, int w)
    {
        Quad quad;
        quad.X = x;
        quad.Y = y;
        quad.Z = z;
        quad.W = w;
        return quad;
    }

    private static Sums Of(float a, float b, float c, float d)
    {
        Sums sums;
        sums.A = a;
        sums.B = b;
        sums.C = c;
        sums.D = d;
        return sums;
    }
}
