using System.Diagnostics;
using KwaaiNet.ApiNode.Telemetry;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One request's spans below <c>chat</c>: waiting, routing, prefill, decode, one after the other.</summary>
internal sealed class GenerationPhases
{
    private readonly ActivityContext _parent = Activity.Current?.Context ?? default;
    private Activity? _current;

    /// <summary>The request's W3C trace context; empty for none.</summary>
    public string TraceParent { get; } = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "";

    /// <summary>The span under way, to be tagged; null when nobody listens.</summary>
    public Activity? Current => _current;

    /// <summary>Ends the span under way and starts one.</summary>
    public void Start(string name)
    {
        End(null);
        _current = ApiTelemetry.Source.StartActivity(name, ActivityKind.Internal, _parent);
    }

    /// <summary>Ends the span under way.</summary>
    /// <param name="error">What went wrong; null: nothing.</param>
    public void End(string? error)
    {
        if (error is not null)
        {
            _current?.SetTag(ApiTelemetry.Tags.Error, error).SetStatus(ActivityStatusCode.Error);
        }

        _current?.Dispose();
        _current = null;
    }
}
