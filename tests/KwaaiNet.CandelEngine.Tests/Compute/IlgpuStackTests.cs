using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Tensors;
using static KwaaiNet.CandelEngine.Tests.Compute.ComputeBackendConformance;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>What a stack on a device promises beside its results: launches, memory, pages, faults.</summary>
public sealed class IlgpuStackTests(ITestOutputHelper output) : IDisposable
{
    private readonly IlgpuDevice _device = IlgpuDevice.OpenCpuAccelerator();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(GgmlType.F16)]
    [InlineData(GgmlType.Q4_0)]
    public void A_plain_block_is_at_most_eight_launches(GgmlType type)
    {
        // Heads of whole blocks of 32, as models have them.
        using SyntheticModel model = new(new SyntheticKind("llama", "llama") { HeadSize = 32, FeedForward = 96 }, type);
        using IBlockStack stack = Load(model, new BlockStackOptions { FirstBlock = 1, EndBlock = 4 });
        using KvCache one = stack.CreateCache(1, 2);
        using KvCache two = stack.CreateCache(1, 3);

        long ofOne = LaunchesOf(stack, one);
        long ofTwo = LaunchesOf(stack, two);

        Assert.InRange(ofTwo - ofOne, 1, 8);
        Assert.InRange(ofOne, 1, 8); // hidden states come and go without a launch of their own
    }

    [Fact]
    public void The_kernels_for_cuda_make_the_block_that_the_portable_ones_make()
    {
        using SyntheticModel model = new(new SyntheticKind("llama", "llama") { HeadSize = 32, FeedForward = 96 }, GgmlType.Q4_0);
        float[] input = [.. Enumerable.Range(0, SyntheticModel.Width).Select(i => MathF.Sin(i))];
        float[] expected = Output(_device);
        using IlgpuDevice cuda = IlgpuDevice.OpenAsCuda();

        float[] actual = Output(cuda);

        AssertSameBits([expected], [actual]);

        float[] Output(IlgpuDevice device)
        {
            IlgpuBackend backend = new(device, pieceRows: 1);
            using IBlockStack stack = backend.Load(model.File, new BlockStackOptions { FirstBlock = 1, EndBlock = 2 }, null, TestContext.Current.CancellationToken);
            using KvCache cache = stack.CreateCache(1, 2);
            var result = new float[SyntheticModel.Width];
            stack.Run([new BlockStep { Cache = cache, Rows = 1, Input = input, Output = result, Boundary = HiddenFormat.F32 }]);
            return result;
        }
    }

    [Fact]
    public void A_fault_loses_the_stack_and_every_later_call_fails_at_once_with_its_cause()
    {
        using SyntheticModel model = new(GgmlType.F32);
        using StackChain chain = new(model.File, Backend());
        using StackChain other = new(model.File, Backend());
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks);
        BlockStep[] batch = [Step(cache, [1, 2], HiddenFormat.F16, out _)];
        chain.First.Run(batch);
        InvalidOperationException cause = new("an illegal address was met");

        _device.BeforeRun = () => throw cause;
        ComputeException first = Assert.Throws<ComputeException>(() => chain.First.Run(batch));
        _device.BeforeRun = null;

        Assert.Same(cause, first.InnerException);
        Assert.Contains(_device.Description.Name, first.Message, StringComparison.Ordinal);
        Assert.Equal(2, cache.Length);
        long launches = _device.Launches.Launches;
        Assert.Same(cause, Assert.Throws<ComputeException>(() => chain.First.Run(batch)).InnerException);
        Assert.Same(cause, Assert.Throws<ComputeException>(() => chain.First.CreateCache(0, 1)).InnerException);
        Assert.Equal(launches, _device.Launches.Launches);
        Assert.Equal(2, cache.Length);

        // What another stack on the device does is its own affair.
        other.Logits([1, 2], 2);
    }

    [Fact]
    public void Blocks_that_do_not_fit_are_refused_with_the_numbers()
    {
        using SyntheticModel model = new(GgmlType.F32);
        IlgpuBackend backend = Backend();
        BlockStackOptions options = new() { FirstBlock = 0, EndBlock = 4, KvBudgetBytes = 1 << 20 };
        BlockMemory memory = backend.MemoryFor(model.File, options);
        BlockMemory three = backend.MemoryFor(model.File, options with { EndBlock = 3 });
        Assert.True(memory.Fits);

        _device.TakenBytes = memory.AvailableBytes - memory.NeededBytes + 1;
        InsufficientMemoryException refused = Assert.Throws<InsufficientMemoryException>(() => backend.Load(model.File, options, null, TestContext.Current.CancellationToken));

        Assert.Contains($"{memory.NeededBytes:N0}", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{memory.NeededBytes - 1:N0}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("3 of them would fit", refused.Message, StringComparison.Ordinal);
        Assert.False(backend.MemoryFor(model.File, options).Fits);
        _device.TakenBytes--;
        using (IBlockStack stack = backend.Load(model.File, options, null, TestContext.Current.CancellationToken))
            Assert.Equal(0, backend.MemoryFor(model.File, options).AvailableBytes);
        Assert.True(three.NeededBytes < memory.NeededBytes);
        Assert.Equal(memory.NeededBytes, backend.MemoryFor(model.File, options).AvailableBytes);
    }

    [Fact]
    public void A_budget_without_a_bound_is_a_share_of_what_is_left()
    {
        using SyntheticModel model = new(GgmlType.F32);
        BlockStackOptions options = new() { FirstBlock = 0, EndBlock = 4, KvBudgetBytes = long.MaxValue };
        long session = 2L * SyntheticModel.KvHeads * SyntheticModel.HeadSize * sizeof(float) * 4 * SyntheticModel.Context;
        using (IBlockStack roomy = Load(model, options)) Assert.Equal(32 * session, roomy.KvFreeBytes);

        _device.TakenBytes = _device.FreeBytes - Backend().MemoryFor(model.File, options with { KvBudgetBytes = 0 }).NeededBytes - (4 * session);
        using IBlockStack tight = Load(model, options);

        Assert.InRange(tight.KvFreeBytes, session, 3 * session);
    }

    [Theory]
    [InlineData(KvFormat.F32, 4)]
    [InlineData(KvFormat.F16, 2)]
    [InlineData(KvFormat.Q8, 2)]
    public void Positions_take_what_their_format_takes(KvFormat format, int bytes)
    {
        using SyntheticModel model = new(GgmlType.F32);
        using IBlockStack stack = Load(model, new BlockStackOptions { FirstBlock = 0, EndBlock = 4, Embedding = true, OutputHead = true, KvFormat = format });
        using KvCache cache = stack.CreateCache(0, 4);
        var logits = new float[SyntheticModel.Vocabulary];

        stack.Run([new BlockStep { Cache = cache, Rows = 9, Tokens = Tokens(9), Logits = logits, Boundary = HiddenFormat.F32 }]);

        Assert.Equal(2L * SyntheticModel.KvHeads * SyntheticModel.HeadSize * bytes, stack.KvBytesPerBlockPosition);
        Assert.Equal(stack.KvBytesPerBlockPosition * 4 * 32, cache.Bytes);
        double[] expected = new ReferenceModel(model.File).Logits(Tokens(9))[^1];
        double tolerance = bytes == 4 ? 1e-4 : 1e-2; // binary16 keeps 11 bits
        Assert.InRange(logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max(), bytes == 4 ? 0 : 1e-6, tolerance);
    }

    [Fact]
    public void Tables_keep_their_pages_when_they_grow_and_when_gaps_are_closed()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        KvTables tables = new(100);
        List<(KvTable Table, int[] Pages)> open = [];
        int[] device = new int[100];
        int moves = 0;
        int refused = 0;

        for (int round = 0; round < 1000; round++)
        {
            if (open.Count == 0 || random.Next(4) == 0)
            {
                open.Add((new KvTable(random.Next(1, 4)), []));
            }
            else if (random.Next(3) == 0)
            {
                int closed = random.Next(open.Count);
                tables.Remove(open[closed].Table);
                open.RemoveAt(closed);
            }
            else
            {
                Grow(random.Next(open.Count));
            }

            // What a session finds on the device when it runs.
            foreach ((KvTable table, int[] pages) in open.Where(_ => random.Next(2) == 0))
            {
                if (table.IsStale) tables.Numbers.AsSpan(table.Start, table.Length).CopyTo(device.AsSpan(table.Start));
                table.IsStale = false;
                Assert.All(pages, (number, i) => Assert.Equal(number, device[table.Start + (i % table.Blocks * table.Stride) + (i / table.Blocks)]));
            }
        }

        Assert.NotEqual(0, moves);
        Assert.NotEqual(0, refused);

        void Grow(int which)
        {
            (KvTable table, int[] pages) = open[which];
            int[] starts = [.. open.Select(other => other.Table.Start)];
            int wanted = (pages.Length / table.Blocks) + random.Next(1, 5);
            if (wanted > table.Stride && !tables.TryPlace(table, wanted))
            {
                refused++;
                Assert.Equal(starts, open.Select(other => other.Table.Start));
                return;
            }

            if (open.Where((other, i) => i != which && other.Table.Stride > 0 && other.Table.Start != starts[i]).Any()) moves++;
            int[] grown = [.. pages, .. Enumerable.Range(0, (wanted * table.Blocks) - pages.Length).Select(_ => random.Next(1000))];
            for (int i = 0; i < grown.Length; i++) tables.Set(table, i % table.Blocks, i / table.Blocks, grown[i]);
            open[which] = (table, grown);
        }
    }

    private long LaunchesOf(IBlockStack stack, KvCache cache)
    {
        BlockStep step = new() { Cache = cache, Rows = 1, Input = new float[SyntheticModel.Width] };
        stack.Run([step]);
        long before = _device.Launches.Launches;
        stack.Run([step]);
        return _device.Launches.Launches - before;
    }

    // Disposing a backend disposes its device, which is the test's.
    private IlgpuBackend Backend() => new(_device, pieceRows: 64);

    private IBlockStack Load(SyntheticModel model, BlockStackOptions options) =>
        Backend().Load(model.File, options, null, TestContext.Current.CancellationToken);
}
