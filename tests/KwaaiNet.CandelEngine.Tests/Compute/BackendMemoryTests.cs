using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Every backend says what blocks take before it loads them: placement promises no more than that.</summary>
[Trait("Category", "ComputeConformance")]
public sealed class BackendMemoryTests
{
    [Theory]
    [InlineData("cpu")]
    [InlineData("ilgpu")]
    public void What_a_range_takes_is_known_before_it_is_loaded(string name)
    {
        using IComputeBackend backend = ComputeBackends.Create(name, new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });
        using SyntheticModel model = new(GgmlType.Q8_0);
        BlockStackOptions[] ranges =
        [
            new() { FirstBlock = 1, EndBlock = 2, KvBudgetBytes = 1 << 20 },
            new() { FirstBlock = 1, EndBlock = 3, KvBudgetBytes = 1 << 20 },
            new() { FirstBlock = 0, EndBlock = 4, Embedding = true, OutputHead = true, KvBudgetBytes = 1 << 20 },
        ];

        BlockMemory[] told = [.. ranges.Select(range => backend.MemoryFor(model.File, range))];

        Assert.Equal(told.Select(memory => memory.NeededBytes).Distinct().Order(), told.Select(memory => memory.NeededBytes));
        for (int i = 0; i < ranges.Length; i++)
        {
            Assert.True(told[i].Fits);
            using IBlockStack stack = backend.Load(model.File, ranges[i], null, TestContext.Current.CancellationToken);
            Assert.InRange(told[i].NeededBytes, stack.WeightBytes, told[i].AvailableBytes);
        }

        // The KV budget of a whole machine stands for what is left, and takes nothing by itself.
        Assert.True(backend.MemoryFor(model.File, ranges[2] with { KvBudgetBytes = long.MaxValue }).Fits);
        Assert.ThrowsAny<ArgumentException>(() => backend.MemoryFor(model.File, ranges[0] with { EndBlock = 5 }));
    }
}
