using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Progress;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary>Shows how far a transfer is: a bar with rate and time left where somebody watches, a line now and then elsewhere, a JSON event a line for programs.</summary>
internal sealed class TransferReport : IProgress<PullEvent>
{
    private static readonly TimeSpan s_lineEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_eventEvery = TimeSpan.FromMilliseconds(250);

    private readonly Terminal _terminal;
    private readonly TimeProvider _clock;
    private readonly bool _json;
    private readonly Dictionary<(string, PullStage), ProgressTask> _bars = [];
    private readonly ProgressContext? _live;
    private (string? File, PullStage Stage, long Bytes, long Time) _start;
    private long _last;

    private TransferReport(Terminal terminal, TimeProvider clock, bool json, ProgressContext? live)
    {
        _terminal = terminal;
        _clock = clock;
        _json = json;
        _live = live;
    }

    /// <summary>JSON, a value a line.</summary>
    public static JsonSerializerOptions JsonLines { get; } = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Runs a transfer and shows it.</summary>
    public static Task<T> RunAsync<T>(CommandContext context, bool json, Func<IProgress<PullEvent>, Task<T>> work)
    {
        if (json || !context.Terminal.Interactive) return work(new TransferReport(context.Terminal, context.Clock, json, null));
        return context.Terminal.Console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(live => work(new TransferReport(context.Terminal, context.Clock, false, live)));
    }

    public void Report(PullEvent value)
    {
        if (_json) ReportJson(value);
        else if (value.Stage == PullStage.Note && _live is null) _terminal.Line(Terminal.Plain(value.Text!));
        else if (value.Stage == PullStage.Note) _terminal.Console.Write(new Text(Terminal.Plain(value.Text!) + Environment.NewLine)); // Above the bars, not through them.
        else if (_live is not null) ReportBar(_live, value);
        else ReportLine(value);
    }

    private void ReportJson(PullEvent value)
    {
        bool moves = value.Stage is PullStage.Receiving or PullStage.Checking && value.Bytes != value.Total;
        if (moves && _last != 0 && _clock.GetElapsedTime(_last) < s_eventEvery) return;
        _last = _clock.GetTimestamp();
        _terminal.Line(JsonSerializer.Serialize(value, JsonLines));
    }

    private void ReportBar(ProgressContext live, PullEvent value)
    {
        PullStage stage = value.Stage == PullStage.Done ? PullStage.Receiving : value.Stage;
        if (!_bars.TryGetValue((value.File!, stage), out ProgressTask? bar))
        {
            if (value.Stage == PullStage.Done) return;
            string name = stage == PullStage.Checking ? $"checking {value.File}" : value.File!;
            bar = live.AddTask(Markup.Escape(name), maxValue: value.Total ?? double.MaxValue);
            _bars[(value.File!, stage)] = bar;
        }

        bar.IsIndeterminate = value.Total is null;
        bar.Value = value.Bytes;
    }

    private void ReportLine(PullEvent value)
    {
        if (value.Stage == PullStage.Done || value.Total is not { } total) return;
        if (_start.File != value.File || _start.Stage != value.Stage)
        {
            _start = (value.File, value.Stage, value.Bytes, _clock.GetTimestamp());
            _last = _start.Time;
        }

        if (value.Bytes != total && _clock.GetElapsedTime(_last) < s_lineEvery) return;
        _last = _clock.GetTimestamp();
        string doing = value.Stage == PullStage.Checking ? "checking " : "";
        double seconds = _clock.GetElapsedTime(_start.Time).TotalSeconds;
        double rate = seconds > 0 ? (value.Bytes - _start.Bytes) / seconds : 0;
        string speed = rate > 0 ? $", {ByteSize.Of((long)rate)}/s" : "";
        string left = rate > 0 && value.Bytes < total ? $", {TimeSpan.FromSeconds(Math.Ceiling((total - value.Bytes) / rate)):c} left" : "";
        _terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{doing}{value.File}: {100.0 * value.Bytes / Math.Max(1, total):0} %, {ByteSize.Of(value.Bytes)} of {ByteSize.Of(total)}{speed}{left}"));
    }
}
