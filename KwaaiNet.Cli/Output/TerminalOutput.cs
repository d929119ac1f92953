using System.Text;
using Spectre.Console;

namespace KwaaiNet.Cli.Output;

/// <summary>Decoration through the same writer as everything else; what the screen can do is asked of the screen.</summary>
/// <param name="writer">Where it writes.</param>
/// <param name="screen">What is known of the screen.</param>
internal sealed class TerminalOutput(TextWriter writer, AnsiConsoleOutput screen) : IAnsiConsoleOutput
{
    public TextWriter Writer => writer;

    public bool IsTerminal => screen.IsTerminal;

    public int Width => screen.Width;

    public int Height => screen.Height;

    public void SetEncoding(Encoding encoding) => screen.SetEncoding(encoding);
}
