using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>Activations in the forms that products take, against what the forms are said to be.</summary>
public sealed class OperandTests(ITestOutputHelper output)
{
    private const OperandKinds All = OperandKinds.Bytes | OperandKinds.Shorts | OperandKinds.Halves | OperandKinds.Brains | OperandKinds.Singles;

    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 1, 96 }, { 2, 33 }, { 9, 70 }, { 17, 64 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_thread_and_a_warp_write_the_same(int rows, int columns)
    {
        float[] x = Numbers(rows * columns);
        using MatrixBench bench = new();

        Assert.Equal(bench.Write(bench.Portable, All, x, columns, rows), bench.Write(bench.Cuda, All, x, columns, rows));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Integers_are_those_of_the_twin(int rows, int columns)
    {
        float[] x = Numbers(rows * columns);
        using MatrixBench bench = new();
        int blocks = (columns + 31) / 32;
        int tile = rows == 1 ? 1 : 8;
        int places = blocks * (rows switch { <= 8 => 8, <= 16 => 16, _ => 32 });
        byte[] bytes = bench.Write(bench.Portable, OperandKinds.Bytes, x, columns, rows);
        byte[] shorts = bench.Write(bench.Portable, OperandKinds.Shorts, x, columns, rows);

        for (int row = 0; row < rows; row++)
        {
            for (int block = 0; block < blocks; block++)
            {
                int at = (((row / tile * blocks) + block) * tile) + (row % tile);
                var numbers = new float[32];
                x.AsSpan((row * columns) + (32 * block), Math.Min(32, columns - (32 * block))).CopyTo(numbers);

                (int[] expected, float scale, float sum) = ScalarProduct.Integers(numbers, 127);
                int[] actual = [.. Enumerable.Range(0, 32).Select(c => (int)(sbyte)bytes[(32 * at) + Place(c)])];
                Assert.Equal(expected, actual);
                Assert.Equal((scale, sum), (MemoryMarshal.Read<float>(bytes.AsSpan((32 * places) + (8 * at))), MemoryMarshal.Read<float>(bytes.AsSpan((32 * places) + (8 * at) + 4))));

                (expected, scale, _) = ScalarProduct.Integers(numbers, 32767);
                actual = [.. Enumerable.Range(0, 32).Select(c => ((sbyte)shorts[(64 * at) + Place(c)] * 256) + shorts[(64 * at) + 32 + Place(c)])];
                Assert.Equal(expected, actual);
                Assert.Equal(scale, MemoryMarshal.Read<float>(shorts.AsSpan((64 * places) + (4 * at))));
            }
        }
    }

    [Fact]
    public void Two_terms_of_sixteen_bits_keep_what_one_does_not()
    {
        float[] x = [.. Numbers(2000).Where(float.IsFinite)];
        foreach (float value in x)
        {
            float magnitude = Math.Abs(value);
            float half = (float)BitConverter.UInt16BitsToHalf((ushort)TwoTerms.Half(value));
            float halfRest = (float)BitConverter.UInt16BitsToHalf((ushort)TwoTerms.Half(TwoTerms.Rest(value, half)));
            Assert.Equal((float)(Half)Math.Clamp(value, -65504f, 65504f), half);
            if (magnitude < 65504) Assert.InRange((double)half + halfRest - value, -Bound(1 << 22) - 3.1e-8, Bound(1 << 22) + 3.1e-8); // it counts in 2^-24 at least

            float brain = TwoTerms.BrainToSingle(TwoTerms.Brain(value));
            float brainRest = TwoTerms.BrainToSingle(TwoTerms.Brain(TwoTerms.Rest(value, brain)));
            Assert.InRange((double)brain - value, -Bound(1 << 8), Bound(1 << 8));
            Assert.InRange((double)brain + brainRest - value, -Bound(1 << 16), Bound(1 << 16));

            double Bound(double parts) => (magnitude / parts) + 1e-40; // a bfloat16 counts in 2^-133 at least
        }
    }

    // Where an integer of a column lies in its block: lanes hold columns 4i … and 16 + 4i … side by side.
    private static int Place(int column) => (8 * (column % 16 / 4)) + (column < 16 ? 0 : 4) + (column % 4);

    // Of all sizes, with halves exactly between two integers, zeros, and what is no number.
    private float[] Numbers(int count)
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        float[] special = [0f, -0f, 0.5f, 1.5f, -2.5f, 127f, 1e38f, 1e-40f, 65504f, 65520f, float.NaN, float.NegativeInfinity];
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(20) switch
        {
            0 => special[random.Next(special.Length - (random.Next(4) == 0 ? 0 : 2))],
            < 8 => MathF.Round(random.NextSingle() * 254) / 2 * (random.Next(2) == 0 ? 1 : -1),
            _ => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-6, 5)),
        })];
    }
}
