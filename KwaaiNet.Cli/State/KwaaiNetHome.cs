namespace KwaaiNet.Cli.State;

/// <summary>The folder in which the command keeps what it must remember: <c>KWAAINET_HOME</c>, default <c>~/.kwaainet</c>.</summary>
/// <remarks>
/// <c>run/network.json</c> says what runs; <c>run/NODE/</c> holds a node's identity, addresses and log; <c>models/</c> the user's models.
/// One folder, one network: two networks on one machine need two folders.
/// </remarks>
internal sealed class KwaaiNetHome
{
    /// <summary>The environment variable that names another folder.</summary>
    public const string Variable = "KWAAINET_HOME";

    /// <summary>The name under which the command's own messages are kept beside the nodes' logs.</summary>
    public const string SupervisorName = "kwaainet";

    public KwaaiNetHome(string folder) => Folder = Path.GetFullPath(folder);

    public static KwaaiNetHome FromEnvironment()
    {
        string? configured = Environment.GetEnvironmentVariable(Variable);
        return new KwaaiNetHome(string.IsNullOrWhiteSpace(configured)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kwaainet")
            : configured);
    }

    public string Folder { get; }

    public string RunFolder => Path.Combine(Folder, "run");

    public string ModelsFolder => Path.Combine(Folder, "models");

    public string StateFile => Path.Combine(RunFolder, "network.json");

    public string NodeFolder(string node) => Path.Combine(RunFolder, node);

    public string LogFile(string node) => Path.Combine(NodeFolder(node), NodeLogName);

    /// <summary>Nodes that have a log, in the order of their names.</summary>
    public IReadOnlyList<string> NodesWithLogs() => !Directory.Exists(RunFolder)
        ? []
        : [.. Directory.EnumerateDirectories(RunFolder)
            .Where(folder => File.Exists(Path.Combine(folder, NodeLogName)))
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)];

    private const string NodeLogName = "log.txt";
}
