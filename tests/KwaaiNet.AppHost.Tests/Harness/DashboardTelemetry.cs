using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>What the dashboard has received, through its telemetry API: OTLP in JSON.</summary>
internal sealed class DashboardTelemetry : IDisposable
{
    private const int Most = 10_000;
    private const int ErrorSeverity = 17;

    private readonly HttpClient _http;

    public DashboardTelemetry(Uri dashboard, string? apiKey)
    {
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(dashboard.GetLeftPart(UriPartial.Authority)), Timeout = Eventually.Limit };
        if (apiKey is not null) _http.DefaultRequestHeaders.Add("x-api-key", apiKey);
    }

    /// <summary>All spans.</summary>
    public async Task<IReadOnlyList<Span>> SpansAsync(CancellationToken cancellationToken)
    {
        List<Span> spans = [];
        await foreach ((string resource, _, JsonElement span) in ReadAsync("spans", "resourceSpans", "scopeSpans", "spans", cancellationToken))
        {
            spans.Add(new Span(
                resource, Text(span, "name"), Text(span, "traceId"), Text(span, "spanId"), Text(span, "parentSpanId"), Attributes(span)));
        }

        return spans;
    }

    /// <summary>What our own categories logged as an error or worse.</summary>
    public async Task<IReadOnlyList<string>> OwnErrorsAsync(CancellationToken cancellationToken)
    {
        List<string> errors = [];
        await foreach ((string resource, string scope, JsonElement record) in ReadAsync("logs", "resourceLogs", "scopeLogs", "logRecords", cancellationToken))
        {
            if (scope.StartsWith("KwaaiNet.", StringComparison.Ordinal) && record.GetProperty("severityNumber").GetInt32() >= ErrorSeverity)
            {
                errors.Add($"{resource}: {scope}: {record.GetProperty("body")}");
            }
        }

        return errors;
    }

    public void Dispose() => _http.Dispose();

    private async IAsyncEnumerable<(string Resource, string Scope, JsonElement Item)> ReadAsync(
        string kind, string resources, string scopes, string items, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        JsonElement answer = await _http.GetFromJsonAsync<JsonElement>(
            string.Create(CultureInfo.InvariantCulture, $"/api/telemetry/{kind}?limit={Most}"), cancellationToken);
        if (!answer.GetProperty("data").TryGetProperty(resources, out JsonElement found)) yield break;

        foreach (JsonElement resource in found.EnumerateArray())
        {
            string name = Attributes(resource.GetProperty("resource"))["service.name"];
            foreach (JsonElement scope in resource.GetProperty(scopes).EnumerateArray())
            {
                foreach (JsonElement item in scope.GetProperty(items).EnumerateArray()) yield return (name, Text(scope.GetProperty("scope"), "name"), item);
            }
        }
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";

    private static Dictionary<string, string> Attributes(JsonElement owner)
    {
        Dictionary<string, string> attributes = [];
        if (!owner.TryGetProperty("attributes", out JsonElement list)) return attributes;

        foreach (JsonElement attribute in list.EnumerateArray())
        {
            JsonElement value = attribute.GetProperty("value").EnumerateObject().First().Value;
            attributes[Text(attribute, "key")] = value.ToString();
        }

        return attributes;
    }
}
