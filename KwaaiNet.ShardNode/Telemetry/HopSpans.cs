using System.Diagnostics;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Telemetry;

/// <summary>A session's two spans on this node: the prompt (up to the first step that is sampled) and everything after it.</summary>
/// <remarks>A span a token would drown a trace; these two carry the number of steps and rows instead. Belongs to the step loop.</remarks>
internal sealed class HopSpans
{
    private readonly ActivitySource _source;
    private readonly ActivityContext _parent;
    private readonly string _session;
    private readonly string _blocks;
    private readonly string _model;
    private Activity? _current;
    private bool _prefillDone;
    private bool _started;
    private int _steps;
    private long _rows;

    /// <summary>Spans of a session that is being opened; nothing is recorded before its first step.</summary>
    public HopSpans(ShardTelemetry telemetry, OpenSession open, string session)
    {
        _source = telemetry.Source;
        _ = ActivityContext.TryParse(open.Traceparent, null, isRemote: true, out _parent);
        _session = session;
        _blocks = new BlockRange((int)open.FirstBlock, (int)open.EndBlock).ToString();
        _model = open.Model;
    }

    /// <summary>A step enters the blocks.</summary>
    public void OnStepStarted()
    {
        if (_started) return;

        _started = true;
        _current = _source.StartActivity(
            _prefillDone ? ShardTelemetry.Spans.Decode : ShardTelemetry.Spans.Prefill, ActivityKind.Internal, _parent);
        // The loop's thread serves every session: no one session's span may become the parent of what comes next on it.
        Activity.Current = null;
    }

    /// <summary>A step has left the blocks.</summary>
    public void OnStepDone(int rows, bool sample)
    {
        _steps++;
        _rows += rows;
        if (_prefillDone || !sample) return;

        End(null);
        _prefillDone = true;
        _started = false;
    }

    /// <summary>The session has ended.</summary>
    public void Close(FailureCode? failure) => End(failure);

    private void End(FailureCode? failure)
    {
        if (_current is { } span)
        {
            span.SetTag(ShardTelemetry.Attributes.Session, _session);
            span.SetTag(ShardTelemetry.Attributes.Blocks, _blocks);
            span.SetTag(ShardTelemetry.Attributes.Model, _model);
            span.SetTag(ShardTelemetry.Attributes.Steps, _steps);
            span.SetTag(ShardTelemetry.Attributes.Rows, _rows);
            if (failure is { } code)
            {
                span.SetTag(ShardTelemetry.Attributes.Failure, code.ToString());
                span.SetStatus(ActivityStatusCode.Error);
            }

            span.Dispose();
        }

        _current = null;
        _steps = 0;
        _rows = 0;
    }
}
