using System.ClientModel;
using System.ClientModel.Primitives;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;
using OpenAI;

namespace KwaaiNet.ApiNode.Tests.Conformance;

/// <summary>The same suite through HTTP with OpenAI's own client, with the key of the quickstart.</summary>
public sealed class OpenAIClientConformanceTests : ChatClientConformance
{
    private ApiHost? _host;

    [Fact]
    public async Task An_error_reaches_the_client_with_its_status()
    {
        IChatClient client = Open(_host!, "gone");
        ClientResultException exception = await Assert.ThrowsAsync<ClientResultException>(
            () => client.GetResponseAsync("Hi", cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(404, exception.Status);
        Assert.Contains("The model 'gone' does not exist", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_models_are_listed()
    {
        OpenAIClient client = OpenClient(_host!);
        ClientResult<OpenAI.Models.OpenAIModelCollection> models = await client.GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["demo"], models.Value.Select(model => model.Id));
    }

    [Fact]
    public async Task Its_own_logprobs_types_read_ours_whole_and_streamed()
    {
        OpenAI.Chat.ChatClient client = OpenClient(_host!).GetChatClient("demo");
        OpenAI.Chat.ChatCompletionOptions options = new()
        {
            Temperature = 0,
            IncludeLogProbabilities = true,
            TopLogProbabilityCount = 2,
            PresencePenalty = 0.5f,
            FrequencyPenalty = -0.5f,
            LogitBiases = { [7] = -100 },
        };
        OpenAI.Chat.ChatMessage[] messages = [new OpenAI.Chat.UserChatMessage("Hi")];

        OpenAI.Chat.ChatCompletion whole = await client.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        List<OpenAI.Chat.ChatTokenLogProbabilityDetails> streamed = [];
        await foreach (OpenAI.Chat.StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            streamed.AddRange(update.ContentTokenLogProbabilities);
        }

        Assert.Equal("Hello from the chain.", string.Concat(whole.ContentTokenLogProbabilities.Select(token => token.Token)));
        Assert.Equal("Hello from the chain.", string.Concat(streamed.Select(token => token.Token)));
        Assert.All(whole.ContentTokenLogProbabilities, token => Assert.Equal((-0.25f, 2, "b"), (token.LogProbability, token.TopLogProbabilities.Count, token.TopLogProbabilities[1].Token)));
        Assert.Equal("H"u8.ToArray(), whole.ContentTokenLogProbabilities[0].Utf8Bytes?.ToArray());
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _host!.DisposeAsync();
    }

    protected override async Task<IChatClient> CreateAsync()
    {
        _host = await ApiHost.StartAsync(FakeNetwork.Of("0-1", "2-3", "4-5"));
        return Open(_host, "demo");
    }

    private static IChatClient Open(ApiHost host, string model) => OpenClient(host).GetChatClient(model).AsIChatClient();

    private static OpenAIClient OpenClient(ApiHost host) => new(
        new ApiKeyCredential("sk-local-placeholder"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(host.Client.BaseAddress!, "v1"),
            Transport = new HttpClientPipelineTransport(host.Client),
            RetryPolicy = new ClientRetryPolicy(0),
        });
}
