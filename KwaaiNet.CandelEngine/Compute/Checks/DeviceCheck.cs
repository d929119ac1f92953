using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Checks;

/// <summary>Checks a device's kernels where they run: small models of every kind of weights, against plain loops on the processor.</summary>
/// <remarks>
/// It says whether kernels are right on this machine, with this driver: a fault in one shows as an error many times what rounding
/// explains, a race as bits that differ between two ways to the same row.
/// </remarks>
public static class DeviceCheck
{
    /// <summary>The kinds of weights that are checked: those with kernels of their own, and one that is decoded when it is loaded.</summary>
    public static IReadOnlyList<GgmlType> Types { get; } =
        [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q6_K, GgmlType.Q5_K];

    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 21).Select(i => (i * 97 + 11) % CheckModel.Vocabulary)];

    /// <summary>Runs the checks, one kind of weights after the other.</summary>
    /// <param name="backend">What is checked.</param>
    /// <param name="types">The kinds of weights; null for all of <see cref="Types"/>.</param>
    /// <param name="cancellationToken">Stops between two kinds.</param>
    /// <exception cref="IOException">The system's temporary folder cannot be written.</exception>
    public static IEnumerable<DeviceCheckResult> Run(IComputeBackend backend, IReadOnlyList<GgmlType>? types = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        using CpuBackend plain = new(new CpuOptions { Threads = 1 }, SimdTier.Scalar);
        foreach (GgmlType type in types ?? Types)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using CheckModel model = new(type);
            yield return Check(model, type, backend, plain);
        }
    }

    private static DeviceCheckResult Check(CheckModel model, GgmlType type, IComputeBackend backend, CpuBackend plain)
    {
        double bound = Bound(type);
        try
        {
            using IBlockStack expected = Load(plain, model);
            using IBlockStack stack = Load(backend, model);
            float[] whole = Logits(stack, s_tokens.Length);
            bool same = whole.AsSpan().SequenceEqual(Logits(stack, 1)) && whole.AsSpan().SequenceEqual(Logits(stack, 8)) && BesideOthers(stack, whole);
            return new DeviceCheckResult(type, Error(Logits(expected, s_tokens.Length), whole), bound, same, null);
        }
        catch (Exception e) when (e is ComputeException or InsufficientMemoryException or KvExhaustedException)
        {
            return new DeviceCheckResult(type, double.NaN, bound, false, e.Message);
        }
    }

    // Sums in another order; before they meet quantised weights, activations are rounded here as there, to 8 bits (16 for Q8_0), and one of many
    // may fall on the other side of a step. A wrong block of 32 is a tenth and more.
    private static double Bound(GgmlType type) => type switch
    {
        GgmlType.F32 => 1e-4,
        GgmlType.F16 or GgmlType.BF16 or GgmlType.Q8_0 => 2e-3,
        _ => 1e-2,
    };

    private static IBlockStack Load(IComputeBackend backend, CheckModel model) => backend.Load(
        model.File,
        new BlockStackOptions { FirstBlock = 0, EndBlock = CheckModel.Blocks, Embedding = true, OutputHead = true, KvBudgetBytes = 64 << 20 });

    private static float[] Logits(IBlockStack stack, int chunk)
    {
        float[] logits = new float[s_tokens.Length * CheckModel.Vocabulary];
        using KvCache cache = stack.CreateCache(0, CheckModel.Blocks);
        for (int at = 0; at < s_tokens.Length; at += chunk)
        {
            int rows = Math.Min(chunk, s_tokens.Length - at);
            stack.Run([Step(cache, at, rows, logits)]);
        }

        return logits;
    }

    // Three sessions at different positions, one row each, as batched decoding has them.
    private static bool BesideOthers(IBlockStack stack, float[] whole)
    {
        int[] starts = [0, 5, 12];
        float[] logits = new float[whole.Length];
        KvCache[] caches = [.. starts.Select(_ => stack.CreateCache(0, CheckModel.Blocks))];
        try
        {
            for (int i = 1; i < starts.Length; i++) stack.Run([Step(caches[i], 0, starts[i], new float[whole.Length])]);
            for (int row = 0; row < 4; row++)
            {
                stack.Run([.. starts.Select((start, i) => Step(caches[i], start + row, 1, logits))]);
            }

            return starts.All(start => Rows(logits, start, 4).SequenceEqual(Rows(whole, start, 4)));
        }
        finally
        {
            foreach (KvCache cache in caches) cache.Dispose();
        }
    }

    private static Span<float> Rows(float[] logits, int first, int count) => logits.AsSpan(first * CheckModel.Vocabulary, count * CheckModel.Vocabulary);

    private static BlockStep Step(KvCache cache, int at, int rows, float[] logits) => new()
    {
        Cache = cache,
        Rows = rows,
        Tokens = s_tokens.AsMemory(at, rows),
        Logits = logits.AsMemory(at * CheckModel.Vocabulary, rows * CheckModel.Vocabulary),
        // Binary16 at the boundaries would turn one last bit here and there into a thousand times its size.
        Boundary = HiddenFormat.F32,
    };

    // NaN compares with nothing, and so fails every bound.
    private static double Error(float[] expected, float[] actual)
    {
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            size += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / size);
    }
}
