using System.Globalization;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using KwaaiNet.AppHost.Tests.Harness;

namespace KwaaiNet.AppHost.Tests;

/// <summary>Two holders of every range, and what a developer does to one of them while an answer streams through it.</summary>
public sealed class ReplicaTests(ReplicatedNetwork replicated) : IClassFixture<ReplicatedNetwork>
{
    private const string Prompt = "Hello!";
    private const int Tokens = 4_000;

    private readonly RunningNetwork _network = replicated.Network;

    [Fact]
    public async Task A_shard_killed_or_drained_in_the_middle_of_a_stream_changes_nothing_in_its_text()
    {
        await using AnswerStream quiet = await _network.StreamAsync(ReplicatedNetwork.Model, Prompt, Tokens);
        (string undisturbed, string? reason) = await quiet.EndAsync();
        Assert.Equal("length", reason);

        await DisturbAsync("kill", "0-2", undisturbed);
        await DisturbAsync("drain", "3-5", undisturbed);
        await DisturbAsync("kill", "3-5", undisturbed);

        Assert.Empty(_network.Errors.Errors);
    }

    [Fact]
    public async Task Every_range_has_two_holders_and_the_dashboard_says_which_where_and_how()
    {
        Assert.Equal(4, _network.Shards.Count);
        // Two that became ready at the same moment may hold the same blocks until one of them has seen the other and gone.
        await Eventually.TrueAsync(
            _ => Task.FromResult(_network.Shards.All(shard => Text(_network.Snapshot(shard), "kwaainet.state") == "ready")
                && _network.Shards.Select(shard => _network.Property(shard, "kwaainet.blocks")).Order().SequenceEqual(["0-2 of 0-5", "0-2 of 0-5", "3-5 of 0-5", "3-5 of 0-5"])),
            "every range has two ready holders",
            () => string.Join("; ", _network.Shards.Select(shard =>
                $"{shard} {Text(_network.Snapshot(shard), "kwaainet.state")} {_network.Property(shard, "kwaainet.blocks")} ({_network.Snapshot(shard).State?.Text})")));
        foreach (string shard in _network.Shards)
        {
            JsonElement status = await _network.GetAsync(shard, "/status");
            Assert.Equal(status.GetProperty("backend").GetString(), _network.Property(shard, "kwaainet.backend"));
            Assert.Equal(status.GetProperty("device").GetString(), _network.Property(shard, "kwaainet.device"));
            Assert.Equal(["Map", "Status"], Links(shard));
        }

        Assert.Equal(["Chat page", "Map", "Models"], Links("api"));
        Assert.Equal(["Map"], Links("discovery"));
    }

    [Fact]
    public async Task A_frozen_shard_stands_still_and_goes_on_by_itself()
    {
        string shard = _network.Shards[0];
        await _network.UntilAsync(shard, snapshot => Text(snapshot, "kwaainet.state") == "ready");
        Assert.Contains("stands still for 20 s", await _network.RunAsync(shard, "freeze"), StringComparison.Ordinal);
        await _network.UntilAsync(shard, snapshot => Text(snapshot, "kwaainet.state") == "does not answer");
        await _network.UntilAsync(shard, snapshot => Text(snapshot, "kwaainet.state") == "ready");
        await _network.HealthyAsync(shard);
    }

    [Fact]
    public async Task Add_shard_starts_spares_until_none_is_left()
    {
        for (int left = 2; left >= 0; left--)
        {
            string spare = string.Create(CultureInfo.InvariantCulture, $"shard-{7 - left}");
            Assert.Equal("NotStarted", _network.Snapshot(spare).State?.Text);
            string said = await _network.RunAsync("api", "add-shard");
            Assert.StartsWith(spare + " starts", said, StringComparison.Ordinal);
            Assert.Contains(left switch { 0 => "no spare shard is left", 1 => "one more is left", _ => "2 more are left" }, said, StringComparison.Ordinal);
            await _network.HealthyAsync(spare);
        }

        Assert.Contains("All 3 spare shards run", await _network.RunRefusedAsync("api", "add-shard"), StringComparison.Ordinal);
        foreach (string spare in new[] { "shard-5", "shard-6", "shard-7" })
        {
            await _network.RunAsync(spare, "stop");
            await _network.UntilAsync(spare, IsEnded);
        }
    }

    private static bool IsEnded(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text is "Finished" or "Exited" && snapshot.ExitCode is not null;

    private static string? Text(CustomResourceSnapshot snapshot, string property) =>
        snapshot.Properties.FirstOrDefault(entry => entry.Name == property)?.Value?.ToString();

    private string?[] Links(string resource) =>
        [.. _network.Snapshot(resource).Urls.Where(url => url.DisplayProperties.DisplayName.Length > 0).Select(url => url.DisplayProperties.DisplayName).Order()];

    private async Task DisturbAsync(string command, string blocks, string undisturbed)
    {
        await using AnswerStream stream = await _network.StreamAsync(ReplicatedNetwork.Model, Prompt, Tokens);
        await stream.BeginAsync();
        string shard = await _network.BusyShardAsync(held => held == blocks);
        Assert.Contains(shard, await _network.RunAsync(shard, command), StringComparison.Ordinal);
        (string text, string? reason) = await stream.EndAsync();
        Assert.Equal("length", reason);
        Assert.Equal(undisturbed, text);

        CustomResourceSnapshot gone = await _network.UntilAsync(shard, IsEnded);
        if (command == "drain") Assert.Equal(0, gone.ExitCode);
        else Assert.NotEqual(0, gone.ExitCode);
        await _network.StartAgainAsync(shard);
    }
}
