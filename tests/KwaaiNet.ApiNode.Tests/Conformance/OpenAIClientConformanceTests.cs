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
