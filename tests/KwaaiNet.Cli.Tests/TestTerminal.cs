using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Tests;

/// <summary>A command's surroundings, without a console: a folder, what is typed, what is written.</summary>
internal sealed class TestTerminal : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly Interrupts _interrupts = new();

    public TestTerminal(string input = "", bool interactive = false)
    {
        Folder = Directory.CreateTempSubdirectory("kwaainet-cli-").FullName;
        Context = new CommandContext(new Terminal(new StringReader(input), _output, _error, interactive), new KwaaiNetHome(Folder), _interrupts, TimeProvider.System);
    }

    public string Folder { get; }

    public CommandContext Context { get; }

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public void Dispose()
    {
        _interrupts.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
