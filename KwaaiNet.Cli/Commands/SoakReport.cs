using System.Globalization;
using KwaaiNet.Cli.Bench.Soak;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary>Shows how far a soak is: a bar where somebody watches, a line a minute elsewhere, nothing for programs.</summary>
internal sealed class SoakReport
{
    private static readonly TimeSpan s_lineEvery = TimeSpan.FromMinutes(1);

    private readonly CommandContext _context;
    private readonly ProgressContext? _live;
    private ProgressTask? _bar;
    private string? _stage;
    private long _last;

    private SoakReport(CommandContext context, ProgressContext? live)
    {
        _context = context;
        _live = live;
    }

    /// <summary>Runs a soak and shows it.</summary>
    public static Task<SoakResult> RunAsync(CommandContext context, bool json, Func<Action<SoakProgress>, Task<SoakResult>> work)
    {
        if (!context.Terminal.Interactive) return work(json ? _ => { } : new SoakReport(context, null).Show);
        return context.Terminal.Console.Progress().AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(live => work(new SoakReport(context, live).Show));
    }

    private void Show(SoakProgress progress)
    {
        if (_live is not null) ShowBar(_live, progress);
        else ShowLine(progress);
    }

    private void ShowBar(ProgressContext live, SoakProgress progress)
    {
        if (progress.Stage != _stage)
        {
            _bar?.StopTask();
            _bar = live.AddTask(Markup.Escape(progress.Stage), maxValue: 1);
            _stage = progress.Stage;
        }

        _bar!.Description = Markup.Escape(Text(progress));
        _bar.IsIndeterminate = progress.Fraction == 0;
        _bar.Value = progress.Fraction;
    }

    private void ShowLine(SoakProgress progress)
    {
        if (progress.Stage == _stage && (progress.Counts is null || _context.Clock.GetElapsedTime(_last) < s_lineEvery)) return;
        _stage = progress.Stage;
        _last = _context.Clock.GetTimestamp();
        string share = progress.Fraction > 0 ? progress.Fraction.ToString(" 0 %", CultureInfo.InvariantCulture) : "";
        _context.Terminal.Line($"{Text(progress)}{share}");
    }

    // Short, so that a bar fits beside it: trouble is named when there is any.
    private static string Text(SoakProgress progress)
    {
        if (progress.Counts is not { } counts) return progress.Stage;
        IEnumerable<string> trouble = new[] { (counts.Refused, "refused"), (counts.Failed, "failed"), (counts.Different, "different") }
            .Where(kind => kind.Item1 > 0).Select(kind => string.Create(CultureInfo.InvariantCulture, $", {kind.Item1} {kind.Item2}"));
        return string.Create(CultureInfo.InvariantCulture, $"{progress.Stage}: {counts.Answered} answered, {counts.Cancelled} cancelled{string.Concat(trouble)}");
    }
}
