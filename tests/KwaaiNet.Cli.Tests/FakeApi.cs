using System.Net;
using System.Text;

namespace KwaaiNet.Cli.Tests;

/// <summary>An OpenAI API that answers from a script and keeps what it was asked.</summary>
internal sealed class FakeApi(params string[] completions) : HttpMessageHandler
{
    private readonly Queue<string> _completions = new(completions);

    public List<string> Requests { get; } = [];

    public static string Stream(params string[] texts) =>
        string.Concat(texts.Select(text => $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{text}}}"}}]}""" + "\n\n")) + "data: [DONE]\n\n";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.AbsolutePath == "/v1/models")
        {
            return Answer("""{"data":[{"id":"kwaai-demo","object":"model","owned_by":"local","kwaainet":{"sharded":true,"trust_tier":"Unknown"}}],"object":"list"}""");
        }

        Requests.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
        string body = _completions.Dequeue();
        return Answer(body, body.StartsWith('{') ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK);
    }

    private static HttpResponseMessage Answer(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, body.StartsWith("data:", StringComparison.Ordinal) ? "text/event-stream" : "application/json") };
}
