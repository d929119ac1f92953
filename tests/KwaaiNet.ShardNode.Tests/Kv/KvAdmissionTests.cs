using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.ShardNode.Kv;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Kv;

public sealed class KvAdmissionTests
{
    private const int Page = 4;
    private const long PageBytes = 16 * Page;

    [Theory]
    [InlineData(10, 50, 0, 50)] // a limit that is near
    [InlineData(10, 1000, 0, 138)]
    [InlineData(10, 1000, 100, 228)]
    [InlineData(10, 1000, 210, 410)] // as much again as it has written
    [InlineData(10, 1000, 900, 1000)]
    [InlineData(900, 1000, 0, 1000)]
    [InlineData(2000, 1000, 0, 1000)]
    public void A_session_is_expected_to_write_as_much_again(int first, int most, int filled, int expected) =>
        Assert.Equal(expected, new KvNeed(first, most).Expected(filled));

    [Fact]
    public void Who_is_let_in_follows_from_what_is_free_and_what_others_will_need()
    {
        using FakeStack stack = Stack(pages: 40, blocks: 2);
        KvAdmission kv = new(stack, new KeptPages());
        using KvCache cache = stack.CreateCache(0, 2);
        KvNeed need = new(First: 10, Most: 60);

        // 60 positions are 15 pages of each block.
        Assert.Equal(30 * PageBytes, kv.ExpectedBytes(need, cache));
        Assert.True(kv.Admits(need, cache, expected: 10 * PageBytes));
        Assert.False(kv.Admits(need, cache, expected: 11 * PageBytes));
        Assert.Equal((29 * PageBytes, 0), (kv.FreeBytes(11 * PageBytes), kv.FreeBytes(41 * PageBytes)));

        Assert.True(kv.TryReserve(cache, 17));
        Assert.Equal((10 * PageBytes, 20 * PageBytes), (kv.UsedBytes, kv.ExpectedBytes(need, cache)));
        Assert.False(kv.Admits(new KvNeed(10, 84), cache, expected: 0)); // more than there is
    }

    [Fact]
    public void What_is_kept_for_others_to_come_counts_as_free_and_makes_way()
    {
        using FakeStack stack = Stack(pages: 8, blocks: 1);
        using KvCache old = stack.CreateCache(0, 1);
        Run(stack, old, 6 * Page);
        KeptPages kept = new();
        for (int page = 0; page < 6; page++) kept.Pages.Enqueue(old.Share(page));
        old.Dispose();
        KvAdmission kv = new(stack, kept);
        using KvCache cache = stack.CreateCache(0, 1);

        Assert.Equal((2, 0), (stack.KvFreePages, kv.UsedBytes));
        Assert.True(kv.Admits(new KvNeed(8 * Page, 8 * Page), cache, expected: 0));
        Assert.True(kv.TryReserve(cache, 2 * Page));
        Assert.Equal(6, kept.Pages.Count);
        Assert.True(kv.TryReserve(cache, 4 * Page));
        Assert.InRange(kept.Pages.Count, 3, 4);
        Assert.True(kv.TryReserve(cache, 8 * Page));
        Assert.Equal((0, 8 * PageBytes), (kept.Pages.Count, kv.UsedBytes));
        using KvCache other = stack.CreateCache(0, 1);
        Assert.False(kv.TryReserve(other, 1));
        Assert.Equal(0, other.Capacity);
    }

    private static FakeStack Stack(int pages, int blocks) => new(endBlock: blocks, kvBudget: pages * PageBytes, pagePositions: Page);

    private static void Run(FakeStack stack, KvCache cache, int rows) =>
        stack.Run([new BlockStep { Cache = cache, Rows = rows, Tokens = new int[rows] }]);

    private sealed class KeptPages : IReclaimablePages
    {
        public Queue<KvPage> Pages { get; } = new();

        public long UnusedBytes => Pages.Sum(page => page.Bytes);

        public long Reclaim(long bytes)
        {
            long freed = 0;
            while (freed < bytes && Pages.TryDequeue(out KvPage? page))
            {
                freed += page.Bytes;
                page.Dispose();
            }

            return freed;
        }
    }
}
