using KwaaiNet.CandelEngine.Compute.Cpu.Threads;

namespace KwaaiNet.CandelEngine.Tests.Compute;

public sealed class ComputePoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_index_runs_once_in_every_job(int threads)
    {
        using ComputePool pool = new(threads);
        for (int job = 0; job < 200; job++)
        {
            var ran = new int[job];
            pool.For(job, (index, worker) =>
            {
                Assert.InRange(worker, 0, threads - 1);
                Interlocked.Increment(ref ran[index]);
            });
            Assert.All(ran, n => Assert.Equal(1, n));
        }
    }

    [Fact]
    public void A_fault_reaches_the_caller_and_the_pool_goes_on()
    {
        using ComputePool pool = new(3);

        Assert.Throws<InvalidOperationException>(() => pool.For(100, (index, _) =>
        {
            if (index == 40) throw new InvalidOperationException();
        }));

        int sum = 0;
        pool.For(10, (index, _) => Interlocked.Add(ref sum, index));
        Assert.Equal(45, sum);
    }

    [Fact]
    public void Callers_on_several_threads_share_a_pool()
    {
        using ComputePool pool = new(3);
        var sums = new int[4];
        Thread[] callers = [.. Enumerable.Range(0, sums.Length).Select(caller => new Thread(() =>
        {
            for (int job = 0; job < 300; job++) pool.For(20, (index, _) => Interlocked.Add(ref sums[caller], index));
        }))];

        foreach (Thread caller in callers) caller.Start();
        foreach (Thread caller in callers) caller.Join();

        Assert.All(sums, s => Assert.Equal(300 * 190, s));
    }
}
