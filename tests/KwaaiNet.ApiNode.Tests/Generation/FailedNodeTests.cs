using System.Text.Json;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>How long a node is left out after it failed, by which way it is reached again, and what users are told of it.</summary>
public sealed class FailedNodeTests
{
    private const string Ask = """{"model":"demo","messages":[{"role":"user","content":"Hi"}],"temperature":0}""";

    [Fact]
    public async Task A_node_that_has_started_again_is_used_at_once()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        Started(network.Shards["a"], 1000).VanishOnOpen = true;
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(503, (await host.AskAsync(Ask)).Status);

        Started(network.Add("a", "0-5"), 2000);

        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
    }

    [Theory]
    [InlineData(1000, 1000)]
    // A record from before the failure that arrives late.
    [InlineData(1000, 900)]
    // Nodes of an older version do not say when they started.
    [InlineData(0, 0)]
    [InlineData(0, 1000)]
    public async Task A_node_that_has_not_started_again_is_left_out_until_its_time_is_over(long failed, long now)
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5");
        Started(network.Shards["a"], failed).VanishOnOpen = true;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);
        Assert.Equal(503, (await host.AskAsync(Ask)).Status);

        FakeShard again = Started(network.Add("a", "0-5"), now);
        Assert.Equal(503, (await host.AskAsync(Ask)).Status);
        Assert.Empty(again.Openings);
        time.Advance(TimeSpan.FromSeconds(ApiOptions.DefaultQuarantineSeconds));

        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_at_its_first_endpoint_is_reached_by_its_others()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        At(network.Shards["a"], "https://dead:1", "https://dead:2", "https://a:1");
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
        Assert.Equal(["https://dead:1", "https://dead:2", "https://a:1"], network.Dialed);
        // And known for the next one.
        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
        Assert.Equal(3, network.Dialed.Count);
    }

    [Fact]
    public async Task A_node_whose_neighbour_cannot_reach_it_is_named_to_the_neighbour_by_another_endpoint()
    {
        FakeNetwork network = FakeNetwork.Of("0-2", "3-5");
        At(network.Shards["b"], "https://b:1", "https://b:2");
        network.Shards["a"].Refuses = open => open.Next.Endpoint == "https://b:1" ? FailureCode.NextHopLost : null;
        network.Shards["a"].Blames = "b";
        await using ApiHost host = await ApiHost.StartAsync(network);
        Assert.Equal(200, (await host.AskAsync(Ask)).Status);
        Assert.Equal(["https://b:1", "https://b:2"], network.Shards["a"].Openings.Select(open => open.Next.Endpoint));
    }

    [Theory]
    [InlineData("refuses", "blocks 3-5 failed the session (RangeNotHeld)")]
    [InlineData("vanishes", "blocks 3-5 was lost")]
    [InlineData("is unreachable", "blocks 3-5 was lost")]
    [InlineData("vanishes later", "blocks 3-5 was lost")]
    [InlineData("lies", "blocks 3-5 sent token 99")]
    public async Task Users_are_told_which_blocks_failed_and_not_who_holds_them_where(string what, string told)
    {
        FakeNetwork network = new();
        network.Add("did:key:z6MkFirst", "0-2");
        FakeShard shard = network.Add("did:key:z6MkSecond", "3-5");
        shard.Words = "https://10.0.0.7:4001 is not mine, did:key:z6MkThird";
        shard.RefuseOpen = what == "refuses" ? FailureCode.RangeNotHeld : null;
        shard.VanishOnOpen = what == "vanishes";
        At(shard, what == "is unreachable" ? "https://dead:1" : "https://192.168.7.7:1");
        network.BeforeToken = (last, index) =>
        {
            if (what == "vanishes later" && index == 3)
            {
                last.Vanish();
            }
            else if (what == "lies")
            {
                last.Send(new ControlEvent { Token = new TokenSampled { SessionId = last.Sessions.Keys.Single(), Position = 200, Token = 99 } });
            }

            return what != "lies" && (what != "vanishes later" || index < 3);
        };
        await using ApiHost host = await ApiHost.StartAsync(network);

        (int status, JsonElement reply) = await host.AskAsync(Ask);

        Assert.Equal(503, status);
        string message = reply.GetProperty("error").GetProperty("message").GetString()!;
        Assert.Contains(told, message, StringComparison.Ordinal);
        foreach (string secret in (string[])["did:key", "https:", "192.168", "10.0.0", "dead"])
        {
            Assert.DoesNotContain(secret, message, StringComparison.Ordinal);
        }
    }

    private static FakeShard Started(FakeShard shard, long unixMs)
    {
        shard.Announce = record =>
        {
            record.StartedUnixMs = unixMs;
            return record;
        };
        return shard;
    }

    private static void At(FakeShard shard, params string[] endpoints) => shard.Announce = record =>
    {
        record.Endpoints.Clear();
        record.Endpoints.Add(endpoints);
        return record;
    };
}
