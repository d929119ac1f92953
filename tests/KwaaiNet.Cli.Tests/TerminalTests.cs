using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

/// <summary>A terminal that was closed, or a file on a full disk.</summary>
public sealed class TerminalTests
{
    private readonly FullDisk _disk = new() { Room = 0 };

    private StreamWriter Writer => field ??= new StreamWriter(_disk) { AutoFlush = true, NewLine = "\n" };

    [Fact]
    public void A_running_network_outlives_its_terminal()
    {
        Terminal terminal = new(TextReader.Null, Writer, Writer, interactive: false) { OutlivesReaders = true };
        terminal.Line("lost");
        terminal.Warning("lost");
        terminal.Text("lost");
        terminal.Table(new Spectre.Console.Table { Title = new Spectre.Console.TableTitle("lost") }.AddColumn(new Spectre.Console.TableColumn("lost")));
        terminal.Error("lost", "lost");
        terminal.Console.Write(new Spectre.Console.Text("lost"));
        Assert.Empty(_disk.Text);
    }

    [Fact]
    public void What_was_lost_meanwhile_is_said_when_there_is_room_again()
    {
        Terminal terminal = new(TextReader.Null, Writer, TextWriter.Null, interactive: false) { OutlivesReaders = true };
        terminal.Line("one");
        terminal.Line("two");
        _disk.Room = null;
        terminal.Line("three");
        Assert.Matches("[0-9]+ writes were lost here[^\n]*\n(.*\n)*three\n$", _disk.Text);
    }

    [Fact]
    public void A_command_whose_output_is_what_was_asked_for_does_not_pretend_it_was_written()
    {
        Terminal terminal = new(TextReader.Null, Writer, Writer, interactive: false);
        Assert.Throws<IOException>(() => terminal.Line("{}"));
        // Its last words are no reason to crash.
        terminal.Error("No space left on device", "make room.");
    }
}
