using System.Diagnostics;
using System.Text.Json;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Network.Tests.Harness;

namespace KwaaiNet.Network.Tests;

/// <summary>What the benches see of real processes: that they look where they say, not how fast anything is.</summary>
public sealed class BenchTests : IDisposable
{
    private readonly CommandHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Prompts_that_were_not_computed_are_told_and_what_users_notice_of_a_long_one()
    {
        JsonElement result = Read(await _home.Command.RunAsync(
            "bench", "network", "--model", TestModels.Endless, "--shards", "2", "--users", "2", "--prompt", "160", "--shared-prefix", "140", "--generate", "8", "--rounds", "2",
            "--while-prompt", "400", "--no-engine", "--json"));

        JsonElement[] rounds = [.. result.GetProperty("prompts_by_round").EnumerateArray()];
        Assert.Equal(2, rounds.Length);
        Assert.All(rounds, round => Assert.InRange(round.GetProperty("prompt_tokens").GetInt32(), 200, 500));
        // Both users find in the second round what they have in common.
        Assert.InRange(rounds[1].GetProperty("cached_tokens").GetInt32(), 2 * 128, 2 * 160);
        JsonElement during = result.GetProperty("while_prompt");
        Assert.InRange(during.GetProperty("prompt").GetInt32(), 380, 480);
        foreach (string measured in new[] { "ttft_ms_p50", "itl_ms_p50_before", "itl_ms_p99_before", "itl_ms_p50_while", "itl_ms_p99_while", "itl_ms_max_while", "ratio" })
        {
            Assert.True(during.GetProperty(measured).GetDouble() > 0, $"{measured}: {result}");
        }
    }

    [Fact]
    public async Task A_soak_compares_every_answer_and_finds_nothing_left()
    {
        const int Requests = 24;
        JsonElement result = Read(await _home.Command.RunAsync(
            "bench", "soak", "--model", TestModels.Shipped, "--requests", $"{Requests}", "--users", "4", "--shards", "2", "--seed", "3", "--json"));

        Assert.True(result.GetProperty("passed").GetBoolean(), $"{result}");
        Assert.False(result.GetProperty("interrupted").GetBoolean());
        JsonElement requests = result.GetProperty("requests");
        Assert.Equal(Requests, requests.GetProperty("sent").GetInt32());
        Assert.Equal(Requests, requests.GetProperty("answered").GetInt32() + requests.GetProperty("cancelled").GetInt32());
        Assert.True(requests.GetProperty("tokens").GetInt64() > 0, $"{result}");
        Assert.Equal(["shard-1", "shard-2"], result.GetProperty("kv").EnumerateArray().Select(shard => shard.GetProperty("name").GetString()));
        Assert.All(result.GetProperty("kv").EnumerateArray(), shard => Assert.Equal(
            (true, 0, 0), (shard.GetProperty("answers").GetBoolean(), shard.GetProperty("sessions").GetInt32(), shard.GetProperty("kv_used_bytes").GetInt64())));
        Assert.Equal(["api", "client", "discovery", "shard-1", "shard-2"], result.GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("name").GetString()).Order());
        Assert.All(result.GetProperty("processes").EnumerateArray(), process =>
            Assert.True(process.GetProperty("memory_start_bytes").GetInt64() > 0 && process.GetProperty("memory_end_bytes").GetInt64() > 0, $"{result}"));
    }

    [Fact]
    public async Task A_soak_that_is_stopped_says_what_it_has_seen()
    {
        using Process process = _home.Command.Start("bench", "soak", "--model", TestModels.Shipped, "--users", "2", "--shards", "1");
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.StartsWith("asking", StringComparison.Ordinal))
        {
        }

        Assert.True(StopSignal.Send(process));
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == ExitCode.Interrupted, $"exit code {process.ExitCode}{Environment.NewLine}{output}{await error}");
        Assert.Contains(", interrupted", output, StringComparison.Ordinal);
        Assert.Contains("everything held", output, StringComparison.Ordinal);
    }

    private static JsonElement Read((int Exit, string Output, string Error) run)
    {
        Assert.True(run.Exit == ExitCode.Success, $"exit code {run.Exit}{Environment.NewLine}{run.Output}{run.Error}");
        return JsonDocument.Parse(run.Output).RootElement;
    }
}
