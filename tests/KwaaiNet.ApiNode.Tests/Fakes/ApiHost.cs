using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>The API node as it is composed, over a network in memory; optionally over another chat client or clock.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app)
    {
        _app = app;
        Client = app.GetTestClient();
    }

    public HttpClient Client { get; }

    public IChatClient Chat => _app.Services.GetRequiredService<IChatClient>();

    public static async Task<ApiHost> StartAsync(
        FakeNetwork? network = null, IChatClient? chat = null, TimeProvider? time = null, Action<ApiOptions>? options = null, ChatModel? model = null, FakeCatalog? catalog = null,
        IShardDialer? dialer = null)
    {
        network ??= FakeNetwork.Of("0-5");
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<INodeSnapshot>(network);
        builder.Services.AddSingleton(dialer ?? network);
        builder.Services.AddSingleton<IChatModelCatalog>(catalog ?? new FakeCatalog(model ?? FakeCatalog.Model()));
        builder.Services.AddSingleton(NodeIdentity.Create());
        // Of equal shards the first one, so that tests can tell which.
        builder.Services.AddSingleton(new PlanTurns(0, step: 0));
        if (chat is not null)
        {
            builder.Services.AddSingleton(chat);
        }

        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        // Tests count what shards are asked for.
        builder.Services.Configure<ApiOptions>(api => api.WarmUp = false);
        if (options is not null)
        {
            builder.Services.Configure(options);
        }

        builder.AddServiceDefaults().AddApiNode();
        WebApplication app = builder.Build().MapKwaaiNetEndpoints();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ApiHost(app);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public Task<HttpResponseMessage> PostAsync(string body, string contentType = "application/json") =>
        PostUntilAsync(TestContext.Current.CancellationToken, body, contentType);

    public Task<HttpResponseMessage> PostUntilAsync(CancellationToken cancelled, string body, string contentType = "application/json")
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        request.Content.Headers.ContentType = contentType.Length > 0 ? MediaTypeHeaderValue.Parse(contentType) : null;
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancelled);
    }

    public async Task<(int Status, JsonElement Body)> AskAsync(string body)
    {
        using HttpResponseMessage response = await PostAsync(body);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>The events of a streamed answer, without <c>data: </c>.</summary>
    public async Task<List<string>> StreamAsync(string body)
    {
        using HttpResponseMessage response = await PostAsync(body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        string[] events = text[..^2].Split("\n\n");
        Assert.All(events, line => Assert.StartsWith("data: ", line, StringComparison.Ordinal));
        return [.. events.Select(line => line["data: ".Length..])];
    }

    /// <summary>Sends a request without a body.</summary>
    public Task<HttpResponseMessage> SendAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        HttpRequestMessage request = new(new HttpMethod(method), path);
        foreach ((string name, string value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
