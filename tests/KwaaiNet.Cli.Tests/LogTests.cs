using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Logs;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.Cli.Tests;

public sealed class LogTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 22, 18, 4, 5, 123, TimeSpan.Zero));

    [Fact]
    public void Logs_merge_in_the_order_in_which_they_were_written()
    {
        using TestTerminal terminal = new();
        using (NodeLog first = new(terminal.Context.Home.LogFile("shard-1"), _clock))
        using (NodeLog second = new(terminal.Context.Home.LogFile("api"), _clock))
        {
            first.Write("one");
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            second.Write("two");
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            first.Write("three");
        }

        IReadOnlyList<LogLine> lines = new MergedLog(terminal.Context.Home, null).ReadNew();
        Assert.Equal(["shard-1 one", "api two", "shard-1 three"], lines.Select(line => $"{line.Node} {line.Text[(NodeLog.TimeLength + 1)..]}"));
        Assert.StartsWith("2026-11-22T18:04:05.123Z ", lines[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_full_disk_lines_are_lost_and_nothing_else_and_how_many_is_said_when_there_is_room_again()
    {
        FullDisk disk = new();
        using NodeLog log = new("log.txt", _clock, _ => disk);
        log.Write("before");
        // Room for the beginning of a line: half of it must not stay.
        disk.Room = 10;
        log.Write("lost");
        log.Write("lost too");
        disk.Room = null;
        log.Write("after");
        log.Write("and on");

        string[] lines = disk.Text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["before", $"warn: kwaainet: 2 lines were lost here: {FullDisk.Reason}", "after", "and on"],
            lines.Select(line => line[(NodeLog.TimeLength + 1)..]));
    }

    [Fact]
    public void A_log_that_cannot_be_opened_yet_is_no_reason_not_to_start()
    {
        FullDisk disk = new();
        bool writable = false;
        using NodeLog log = new("log.txt", _clock, _ => writable ? disk : throw new UnauthorizedAccessException("read-only"));
        log.Write("lost");
        writable = true;
        log.Write("after");
        Assert.Matches("1 line was lost here: read-only", disk.Text);
    }

    [Fact]
    public void A_tail_returns_whole_lines_once_and_follows_a_file_that_starts_anew()
    {
        using TestTerminal terminal = new();
        string path = Path.Combine(terminal.Folder, "log.txt");
        LogTail tail = new("n", path);
        Assert.Empty(tail.ReadNew());
        File.WriteAllText(path, "first\nhal");
        Assert.Equal(["first"], tail.ReadNew().Select(line => line.Text));
        File.AppendAllText(path, "f\r\nlast\n");
        Assert.Equal(["half", "last"], tail.ReadNew().Select(line => line.Text));
        Assert.Empty(tail.ReadNew());
        File.WriteAllText(path, "new\n");
        Assert.Equal(["new"], tail.ReadNew().Select(line => line.Text));
    }

    [Fact]
    public async Task Following_shows_what_is_written_later_also_by_a_node_that_starts_later()
    {
        using TestTerminal terminal = new();
        using NodeLog first = new(terminal.Context.Home.LogFile("api"), TimeProvider.System);
        first.Write("before");
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task<int> following = LogsCommand.RunAsync(terminal.Context, null, follow: true, lines: 10, stop.Token);
        using NodeLog second = new(terminal.Context.Home.LogFile("shard-1"), TimeProvider.System);
        second.Write("after");
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (!terminal.Output.Contains("after", StringComparison.Ordinal))
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }

        await stop.CancelAsync();
        Assert.Equal(ExitCode.Success, await following);
        Assert.Contains("before", terminal.Output, StringComparison.Ordinal);
    }
}
