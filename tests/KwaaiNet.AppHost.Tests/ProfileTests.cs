using KwaaiNet.AppHost.Tests.Harness;

namespace KwaaiNet.AppHost.Tests;

/// <summary>The two launch profiles, from start to stop.</summary>
public sealed class ProfileTests
{
    [Fact]
    public async Task The_embedded_profile_comes_up_answers_in_one_trace_and_leaves_no_process_not_even_a_frozen_one()
    {
        RunningNetwork network = await RunningNetwork.StartAsync("Discovery:Backend=embedded", "Shards=2");
        await using (network)
        {
            await AnswersAsync(network);
            await OneTraceAsync(network);
            // Stopping lets it go on first, or it would hear nothing.
            await network.RunAsync("shard-1", "freeze");
            await StopsAsync(network);
        }
    }

    [Fact]
    public async Task The_redis_profile_comes_up_records_what_is_said_where_that_is_wanted_and_leaves_no_process_and_no_container_but_its_data()
    {
        string? obstacle = await ContainerEngine.FindObstacleAsync();
        Assert.SkipWhen(obstacle is not null, obstacle ?? "");
        string volume = "kwaainet-test-" + Guid.NewGuid().ToString("n");
        try
        {
            RunningNetwork network = await RunningNetwork.StartAsync("Discovery:Backend=redis", "Shards=2", $"Registry:Volume={volume}", "Parameters:capture-content=true");
            await using (network)
            {
                await AnswersAsync(network);
                Span chat = await Eventually.SomethingAsync(
                    async cancellationToken => (await network.Telemetry.SpansAsync(cancellationToken)).FirstOrDefault(span => span.Name == "chat kwaai-demo"), "the chat is in the traces");
                Assert.Contains("Hello!", chat.Attributes["gen_ai.input.messages"], StringComparison.Ordinal);
                string container = network.Property("registry", "container.id");
                Assert.True(await ContainerEngine.HasContainerAsync(container), $"{container} does not run.");
                Assert.Contains(network.Snapshot("registry").Relationships, relationship => relationship is { Type: "Parent", ResourceName: "discovery" });
                Assert.Contains(network.Snapshot("registry-data").Relationships, relationship => relationship is { Type: "Parent", ResourceName: "registry" });
                Assert.Equal(volume, network.Property("registry-data", "kwaainet.volume"));
                await StopsAsync(network);
                await Eventually.TrueAsync(async _ => !await ContainerEngine.HasContainerAsync(container), $"the container {container} is gone");
                Assert.True(await ContainerEngine.HasVolumeAsync(volume), "The data is gone with the container.");
            }
        }
        finally
        {
            await ContainerEngine.RemoveVolumeAsync(volume);
        }
    }

    private static async Task AnswersAsync(RunningNetwork network) =>
        Assert.False(string.IsNullOrWhiteSpace(await network.AnswerAsync("kwaai-demo", "Hello!", maxTokens: 40)));

    /// <summary>request → chat → route, prefill, decode and each shard's own two.</summary>
    private static async Task OneTraceAsync(RunningNetwork network)
    {
        (string, string)[] expected =
        [
            ("api", "decode"), ("api", "prefill"), ("api", "route"),
            .. network.Shards.SelectMany(shard => new[] { (shard, "shard.decode"), (shard, "shard.prefill") }),
        ];
        // Nodes send their spans every few seconds, each for itself, and one that ends late goes with the next lot.
        IReadOnlyList<Span> trace = await Eventually.SomethingAsync(
            async cancellationToken =>
            {
                IReadOnlyList<Span> spans = await network.Telemetry.SpansAsync(cancellationToken);
                string? id = spans.FirstOrDefault(span => span.Name == "chat kwaai-demo")?.TraceId;
                Span[] found = [.. spans.Where(span => span.TraceId == id)];
                return found.Length >= expected.Length + 2 ? found : null;
            },
            $"the trace of the chat has {expected.Length + 2} spans");

        Span request = Assert.Single(trace, span => span.ParentId.Length == 0);
        Assert.Equal(("api", "POST /v1/chat/completions"), (request.Resource, request.Name));
        Span chat = Assert.Single(trace, span => span.ParentId == request.SpanId);
        Assert.Equal(("api", "chat kwaai-demo"), (chat.Resource, chat.Name));
        Assert.Equal(expected, trace.Where(span => span.ParentId == chat.SpanId).Select(span => (span.Resource, span.Name)).Order());
        Assert.Equal(expected.Length + 2, trace.Count);
        // The parts of the model that the shards say they ran are the whole of it, each once.
        Assert.Equal(["0-2", "3-5"], trace.Where(span => span.Name == "shard.decode").Select(span => span.Attributes["kwaainet.blocks"]).Order());
        // A look every second is no request that anybody wants to find among the traces.
        Assert.DoesNotContain(await network.Telemetry.SpansAsync(TestContext.Current.CancellationToken), span => span.Name is "GET /status" or "GET /health");
        // What was asked and answered is in no trace unless somebody wanted that.
        Assert.DoesNotContain(trace, span => span.Attributes.ContainsKey("gen_ai.input.messages") || span.Attributes.ContainsKey("gen_ai.output.messages"));
    }

    private static async Task StopsAsync(RunningNetwork network)
    {
        Assert.Empty(await network.Telemetry.OwnErrorsAsync(TestContext.Current.CancellationToken));
        IReadOnlyList<(int Id, DateTime Started)> processes = network.Processes();
        Assert.True(processes.Count >= 4 && processes.All(ProcessTree.IsAlive), "The network's processes were not found.");
        await network.StopAsync();
        await Eventually.TrueAsync(_ => Task.FromResult(!processes.Any(ProcessTree.IsAlive)), "every process is gone");
        Assert.Empty(network.Errors.Errors);
    }
}
