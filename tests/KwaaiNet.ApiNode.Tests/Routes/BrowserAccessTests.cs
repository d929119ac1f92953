using System.Text;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Tests.Fakes;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary>What a browser needs to let a web page call the API: <c>Api:Cors:Origins</c>.</summary>
public sealed class BrowserAccessTests
{
    private const string App = "https://app.example";
    private const string Allowed = "Access-Control-Allow-Origin";
    private const string Ask = "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"temperature\":0";

    [Theory]
    [InlineData(App, App)]
    [InlineData("https://app.example/", App)]
    [InlineData("*", "*")]
    public async Task A_preflight_echoes_the_headers_and_the_method_that_are_asked_for(string origin, string allowed)
    {
        await using ApiHost host = await StartAsync("http://localhost:5173", origin);

        using HttpResponseMessage response = await host.SendAsync(
            "OPTIONS", "/v1/chat/completions", ("Origin", App), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type,x-stainless-os"));

        Assert.Equal(204, (int)response.StatusCode);
        Assert.Equal(allowed, Value(response, Allowed));
        Assert.Equal("POST", Value(response, "Access-Control-Allow-Methods"));
        Assert.Equal("authorization,content-type,x-stainless-os", Value(response, "Access-Control-Allow-Headers"));
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData(",\"stream\":true", 200)]
    [InlineData(",\"temperature\":9", 400)]
    [InlineData(",\"kwaainet_trust_tier\":\"Verified\",\"stream\":true", 422)]
    public async Task Answers_streams_and_errors_carry_the_header(string more, int status)
    {
        await using ApiHost host = await StartAsync(App);
        using HttpResponseMessage response = await PostAsync(host, Ask + more + "}", App);
        Assert.Equal((status, App), ((int)response.StatusCode, Value(response, Allowed)));
    }

    [Theory]
    [InlineData("GET", "/v1/models", 200)]
    [InlineData("GET", "/health", 200)]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("DELETE", "/v1/models", 405)]
    public async Task Every_route_carries_the_header_also_one_that_does_not_exist(string method, string path, int status)
    {
        await using ApiHost host = await StartAsync(App);
        using HttpResponseMessage response = await host.SendAsync(method, path, ("Origin", App));
        Assert.Equal((status, App), ((int)response.StatusCode, Value(response, Allowed)));
    }

    [Fact]
    public async Task A_fault_of_the_server_carries_the_header()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: new FakeChatClient { Failure = new NotSupportedException() }, options: api => api.Cors.Origins.Add(App));
        using HttpResponseMessage response = await PostAsync(host, Ask + "}", App);
        Assert.Equal((500, App), ((int)response.StatusCode, Value(response, Allowed)));
    }

    [Fact]
    public async Task Another_origin_is_not_let_in()
    {
        await using ApiHost host = await StartAsync(App);
        using HttpResponseMessage preflight = await host.SendAsync("OPTIONS", "/v1/models", ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "GET"));
        using HttpResponseMessage response = await PostAsync(host, Ask + "}", "https://evil.example");
        Assert.Equal((null, null), (Value(preflight, Allowed), Value(response, Allowed)));
    }

    [Fact]
    public async Task Without_the_setting_no_page_is_let_in()
    {
        await using ApiHost host = await StartAsync();
        using HttpResponseMessage preflight = await host.SendAsync("OPTIONS", "/v1/models", ("Origin", App), ("Access-Control-Request-Method", "GET"));
        Assert.Equal((405, null), ((int)preflight.StatusCode, Value(preflight, Allowed)));
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("https://app.example", true)]
    [InlineData("http://localhost:5173", true)]
    [InlineData("http://[::1]:5173", true)]
    [InlineData("app.example", false)]
    [InlineData("localhost:5173", false)]
    [InlineData("https://app.example/path", false)]
    [InlineData("", false)]
    public void Only_origins_are_taken_for_origins(string origin, bool valid)
    {
        ApiOptions options = new();
        options.Cors.Origins.Add(origin);
        Assert.Equal(valid, new ApiOptionsValidator().Validate(null, options).Succeeded);
    }

    private static Task<ApiHost> StartAsync(params string[] origins) => ApiHost.StartAsync(options: api =>
    {
        foreach (string origin in origins)
        {
            api.Cors.Origins.Add(origin);
        }
    });

    private static Task<HttpResponseMessage> PostAsync(ApiHost host, string body, string origin)
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Origin", origin);
        return host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string? Value(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out IEnumerable<string>? values) ? string.Join(",", values) : null;
}
