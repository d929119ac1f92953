using Spectre.Console;

namespace KwaaiNet.Cli.Output;

/// <summary>Where a command writes. Decoration goes through Spectre; what is meant to be copied or parsed is written as it is, never wrapped.</summary>
internal sealed class Terminal
{
    private const int PageWidth = 1000;
    private readonly TerminalWriter _output;
    private readonly TerminalWriter _error;

    public Terminal(TextReader input, TextWriter output, TextWriter error, bool interactive)
    {
        Input = input;
        _output = new TerminalWriter(output);
        // What cannot be told is no reason to fail once more.
        _error = new TerminalWriter(error) { OutlivesReaders = true };
        Interactive = interactive;
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = interactive ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new TerminalOutput(_output, new AnsiConsoleOutput(output)),
        });
    }

    public static Terminal ForConsole() => new(
        System.Console.In,
        System.Console.Out,
        System.Console.Error,
        !System.Console.IsOutputRedirected && Environment.GetEnvironmentVariable("CI") is null);

    /// <summary>Whether the command goes on when nobody can read any more what it writes: the terminal was closed, the disk is full.</summary>
    public bool OutlivesReaders
    {
        get => _output.OutlivesReaders;
        set => _output.OutlivesReaders = value;
    }

    public IAnsiConsole Console { get; }

    public TextReader Input { get; }

    /// <summary>Whether somebody watches: progress may move, colours help.</summary>
    public bool Interactive { get; }

    /// <summary>How many characters a table's line may have before it is folded.</summary>
    public int Width => Interactive ? Console.Profile.Width : PageWidth;

    public void Line(string text = "")
    {
        lock (_output)
        {
            _output.WriteLine(text);
            _output.Flush();
        }
    }

    public void Text(string text)
    {
        lock (_output)
        {
            _output.Write(text);
            _output.Flush();
        }
    }

    /// <summary>A table that fits the screen; in a file or a pipe as wide as its content, without the blanks that would fill a screen.</summary>
    public void Table(Table table)
    {
        if (Interactive)
        {
            Console.Write(table);
            return;
        }

        using StringWriter text = new();
        IAnsiConsole page = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text) });
        page.Profile.Width = PageWidth;
        page.Write(table);
        foreach (string line in text.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
        {
            Line(line);
        }
    }

    public void Warning(string text)
    {
        text = Plain(text);
        if (Interactive)
        {
            Console.MarkupLineInterpolated($"[yellow]{text}[/]");
        }
        else
        {
            Line(text);
        }
    }

    public void Error(string message, string remedy)
    {
        lock (_error)
        {
            _error.WriteLine($"error: {Plain(message)}");
            _error.WriteLine($"  try: {Plain(remedy)}");
            _error.Flush();
        }
    }

    /// <summary>Text without control characters: messages quote servers and files, whose words must not steer a terminal.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c));

    /// <summary>Runs work under a spinner when somebody watches, and without one otherwise. The work is given a way to say what it waits for.</summary>
    public Task StatusAsync(string status, Func<Action<string>, Task> work) => Interactive
        ? Console.Status().StartAsync(status, context => work(text => context.Status(Markup.Escape(text))))
        : work(_ => { });
}
