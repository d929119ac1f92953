using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary><c>POST /drain</c>: for whom it is there, and what it does.</summary>
public sealed class DrainTests
{
    private const string Header = "X-KwaaiNet-Control";

    [Fact]
    public async Task A_drained_shard_says_so_lets_an_open_session_finish_and_ends()
    {
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, "Shard:Blocks=0-5", "Shard:Controls=true", "Shard:DrainSeconds=60");
        Task ended = shard.WaitForEndAsync();
        await directory.WaitForReadyAsync(1);
        await using ChainClient client = new();
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        (Hop, BlockRange)[] chain = [(new Hop { NodeId = shard.NodeId, Endpoint = shard.Endpoint }, new BlockRange(0, 6))];
        ByteString id = await client.OpenAsync(file.WeightsHash, chain, maxNewTokens: 16);
        await client.SendAsync(chain[0].Item1, Frame(id, step: 0, [1, 17, 4], sample: false));

        using HttpResponseMessage response = await PostAsync(shard);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((1, 60), (answer.GetProperty("sessions").GetInt32(), answer.GetProperty("seconds").GetInt32()));
        await directory.WaitAsync(records => records.Any(record => record.Record.Serving.Any(served => served.State == ServingState.Draining)));

        // The open session's prompt ends only now, and it is served to its last token.
        await client.SendAsync(chain[0].Item1, Frame(id, step: 1, [33, 2], sample: true));
        Assert.Equal(16, (await client.TokensAsync()).Count);
        Assert.False(ended.IsCompleted, "The shard ended with a session open.");
        await client.CloseAsync(chain[0].Item1, id);
        await ended.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
        await directory.WaitAsync(records => records.Count == 0);
    }

    [Fact]
    public async Task Without_the_setting_there_is_no_such_path()
    {
        await using TestShard shard = await TestShard.StartAsync(new MemoryDirectory(), "Shard:Blocks=0-5");
        using HttpResponseMessage response = await PostAsync(shard);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("yes", null)]
    [InlineData("drain", "https://example.org")]
    [InlineData("drain", "null")]
    public async Task Who_does_not_send_the_header_and_every_web_page_is_refused_and_the_shard_lives_on(string? control, string? origin)
    {
        MemoryDirectory directory = new();
        await using TestShard shard = await TestShard.StartAsync(directory, "Shard:Blocks=0-5", "Shard:Controls=true");
        await directory.WaitForReadyAsync(1);
        using HttpResponseMessage response = await PostAsync(shard, control, origin);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.True(shard.IsReady);
        Assert.False(shard.IsStopping);
    }

    private static StepFrame Frame(ByteString id, ulong step, int[] tokens, bool sample) => new()
    {
        SessionId = id,
        Step = step,
        KvLength = step == 0 ? 0u : 3u,
        Rows = (uint)tokens.Length,
        Tokens = ByteString.CopyFrom(MemoryMarshal.AsBytes(tokens.AsSpan())),
        Sample = sample,
    };

    private static async Task<HttpResponseMessage> PostAsync(TestShard shard, string? control = "drain", string? origin = null)
    {
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, shard.Http + "/drain");
        if (control is not null) request.Headers.Add(Header, control);
        if (origin is not null) request.Headers.Add("Origin", origin);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
