using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>More requests at once than there is KV cache for.</summary>
public sealed class BurstTests
{
    private const int Requests = 50;
    private const int Tokens = 24;

    // A request takes one page on every block: it is let in or waits, and never has to go again.
    private const int Page = 64;

    private static readonly Dictionary<string, string> s_small = new()
    {
        // Three of the demo model's six blocks on each shard: ten pages a block.
        ["Shard:KvBudgetMegabytes"] = "1",
        // However slow the machine is.
        ["Api:MaxWaitSeconds"] = "300",
    };

    [Fact]
    public async Task Fifty_requests_on_a_budget_for_ten_are_all_answered_as_alone_and_computed_once()
    {
        await using TestNetwork network = await TestNetwork.StartAsync(shards: 2, TestModels.Shipped, settings: s_small);
        foreach (string shard in network.Shards)
        {
            JsonElement status = await network.GetAsync(shard, "/status");
            string[] blocks = status.GetProperty("blocks").GetString()!.Split('-');
            int held = int.Parse(blocks[^1], CultureInfo.InvariantCulture) - int.Parse(blocks[0], CultureInfo.InvariantCulture) + 1;
            Assert.InRange(status.GetProperty("kvTotalBytes").GetInt64() / (status.GetProperty("kvBytesPerBlockPosition").GetInt64() * held * Page), 8, 12);
        }

        using ModelFile model = ModelFile.Open(TestModels.Shipped);
        BenchClient[] clients = [.. Enumerable.Range(0, Requests).Select(_ => new BenchClient(network.Url, network.Model, model.Tokenizer.EndOfGenerationIds) { KeepsText = true })];
        try
        {
            BenchAnswer[] alone = new BenchAnswer[Requests];
            for (int i = 0; i < Requests; i++)
            {
                alone[i] = await AskAsync(clients[i], i);
            }

            long[] before = await RowsAsync(network);
            BenchAnswer[] burst = await Task.WhenAll(clients.Select(AskAsync));

            Assert.All(alone.Concat(burst), answer => Assert.Equal((200, null, Tokens), (answer.Status, answer.Problem, answer.Tokens)));
            Assert.All(alone, answer => Assert.InRange(answer.PromptTokens + Tokens, 1, Page));
            Assert.Equal(alone.Select(answer => answer.Text!.ToString()), burst.Select(answer => answer.Text!.ToString()));
            // Every prompt, and every token drawn but the last: nothing twice.
            long expected = burst.Sum(answer => answer.PromptTokens - answer.CachedTokens + Tokens - 1);
            Assert.All(before.Zip(await RowsAsync(network)), rows => Assert.Equal(expected, rows.Second - rows.First));
        }
        finally
        {
            foreach (BenchClient client in clients)
            {
                client.Dispose();
            }
        }

        foreach (string shard in network.Shards)
        {
            await TestNetwork.UntilAsync(async () => await network.KvUsedAsync(shard) == 0, TimeSpan.FromSeconds(10), $"{shard} has released its KV");
        }
    }

    private static Task<BenchAnswer> AskAsync(BenchClient client, int number) => client.AskAsync(
        BenchQuestion.Of("", string.Create(CultureInfo.InvariantCulture, $"{number}: what does a shard do?"), Tokens), TestContext.Current.CancellationToken);

    private static async Task<long[]> RowsAsync(TestNetwork network)
    {
        List<long> rows = [];
        foreach (string shard in network.Shards)
        {
            rows.Add((await network.GetAsync(shard, "/status")).GetProperty("rowsComputed").GetInt64());
        }

        return [.. rows];
    }
}
