using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>
/// What stands in for mma.sync, against whole matrices that are taken apart and put together by the tables of the PTX ISA
/// (https://docs.nvidia.com/cuda/parallel-thread-execution/, "Matrix Fragments for mma.m16n8k16" and "… m16n8k32").
/// </summary>
public sealed class TensorCoreTests(ITestOutputHelper output)
{
    private const int Signed = 0;
    private const int Mixed = 1;
    private const int Short = 2;
    private const int Half = 3;
    private const int Brain = 4;

    [Theory]
    [InlineData(Signed)]
    [InlineData(Mixed)]
    [InlineData(Short)]
    [InlineData(Half)]
    [InlineData(Brain)]
    public void Fragments_are_where_the_isa_has_them(int kind)
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        bool bytes = kind is Signed or Mixed or Short;
        int depth = kind is Signed or Mixed ? 32 : 16;
        var a = new double[16, depth];
        var b = new double[depth, 8];
        var c = new double[16, 8];
        Fill(a, bytes ? -128 : -8, bytes ? 127 : 8);
        Fill(b, kind == Mixed ? 0 : bytes ? -128 : -8, kind == Mixed ? 255 : bytes ? 127 : 8);
        Fill(c, -1000, 1000);

        var lanes = new Lane[32];
        for (int lane = 0; lane < 32; lane++)
        {
            int group = lane >> 2; // groupID
            int thread = lane % 4; // threadID_in_group
            ref Lane l = ref lanes[lane];
            l.Kind = kind;
            if (bytes)
            {
                // .s8, a_i: row = groupID for i < 4 and 8 <= i < 12, else groupID + 8; col = threadID * 4 + (i & 3), + 16 for i >= 8.
                l.A0 = Bytes(i => a[group, (thread * 4) + i]);
                l.A1 = Bytes(i => a[group + 8, (thread * 4) + i]);
                if (depth == 32) l.A2 = Bytes(i => a[group, (thread * 4) + i + 16]);
                if (depth == 32) l.A3 = Bytes(i => a[group + 8, (thread * 4) + i + 16]);

                // b_i: row = threadID * 4 + (i & 3), + 16 for i >= 4; col = groupID.
                l.B0 = Bytes(i => b[(thread * 4) + i, group]);
                if (depth == 32) l.B1 = Bytes(i => b[(thread * 4) + i + 16, group]);
            }
            else
            {
                // .f16 and .bf16, a_i: row = groupID for i = 0, 1, 4, 5, else groupID + 8; col = threadID * 2 + (i & 1), + 8 for i >= 4.
                l.A0 = Pair(i => a[group, (thread * 2) + i]);
                l.A1 = Pair(i => a[group + 8, (thread * 2) + i]);
                l.A2 = Pair(i => a[group, (thread * 2) + i + 8]);
                l.A3 = Pair(i => a[group + 8, (thread * 2) + i + 8]);

                // b_i: row = threadID * 2 + (i & 1), + 8 for i >= 2; col = groupID.
                l.B0 = Pair(i => b[(thread * 2) + i, group]);
                l.B1 = Pair(i => b[(thread * 2) + i + 8, group]);
            }

            // c_i: row = groupID for i < 2, else groupID + 8; col = threadID * 2 + (i & 1).
            l.C0 = (int)c[group, thread * 2];
            l.C1 = (int)c[group, (thread * 2) + 1];
            l.C2 = (int)c[group + 8, thread * 2];
            l.C3 = (int)c[group + 8, (thread * 2) + 1];
        }

        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(32, 1, 1)));
        using Accelerator accelerator = context.Devices[0].CreateAccelerator(context);
        using MemoryBuffer1D<Lane, Stride1D.Dense> memory = accelerator.Allocate1D(lanes);
        accelerator.LoadStreamKernel<ArrayView<Lane>>(Multiply)(new KernelConfig(1, 32), memory.View);
        accelerator.Synchronize();

        Lane[] results = memory.GetAsArray1D();
        for (int lane = 0; lane < 32; lane++)
        {
            int row = lane >> 2;
            int column = lane % 4 * 2;
            Assert.Equal(
                [Sum(row, column), Sum(row, column + 1), Sum(row + 8, column), Sum(row + 8, column + 1)],
                new double[] { results[lane].C0, results[lane].C1, results[lane].C2, results[lane].C3 });
        }

        // Small integers: every sum of them is exact, in any order.
        void Fill(double[,] matrix, int least, int most)
        {
            for (int i = 0; i < matrix.GetLength(0); i++)
            {
                for (int j = 0; j < matrix.GetLength(1); j++) matrix[i, j] = random.Next(least, most + 1);
            }
        }

        double Sum(int row, int column)
        {
            double sum = c[row, column];
            for (int k = 0; k < depth; k++) sum += a[row, k] * b[k, column];
            return sum;
        }

        static int Bytes(Func<int, double> number)
        {
            int word = 0;
            for (int i = 0; i < 4; i++) word |= ((int)number(i) & 255) << (8 * i);
            return word;
        }

        int Pair(Func<int, double> number) => Bits(number(0)) | (Bits(number(1)) << 16);

        int Bits(double number) => kind == Half ? BitConverter.HalfToUInt16Bits((System.Half)number) : (int)(BitConverter.SingleToUInt32Bits((float)number) >> 16);
    }

    internal static void Multiply(ArrayView<Lane> lanes)
    {
        Lane l = lanes[Warp.LaneIdx];
        if (l.Kind is Half or Brain)
        {
            Sums floats = l.Kind == Half
                ? TensorCores.Halves(l.A0, l.A1, l.A2, l.A3, l.B0, l.B1, l.C0, l.C1, l.C2, l.C3)
                : TensorCores.Brains(l.A0, l.A1, l.A2, l.A3, l.B0, l.B1, l.C0, l.C1, l.C2, l.C3);
            l.C0 = (int)floats.A;
            l.C1 = (int)floats.B;
            l.C2 = (int)floats.C;
            l.C3 = (int)floats.D;
        }
        else
        {
            Quad sums = l.Kind switch
            {
                Signed => TensorCores.Bytes(l.A0, l.A1, l.A2, l.A3, l.B0, l.B1, l.C0, l.C1, l.C2, l.C3),
                Mixed => TensorCores.MixedBytes(l.A0, l.A1, l.A2, l.A3, l.B0, l.B1, l.C0, l.C1, l.C2, l.C3),
                _ => TensorCores.HalfBytes(l.A0, l.A1, l.B0, l.C0, l.C1, l.C2, l.C3),
            };
            l.C0 = sums.X;
            l.C1 = sums.Y;
            l.C2 = sums.Z;
            l.C3 = sums.W;
        }

        lanes[Warp.LaneIdx] = l;
    }

    /// <summary>What a lane holds; sums in and out.</summary>
    public struct Lane
    {
        internal int Kind;
        internal int A0;
        internal int A1;
        internal int A2;
        internal int A3;
        internal int B0;
        internal int B1;
        internal int C0;
        internal int C1;
        internal int C2;
        internal int C3;
    }
}
