namespace KwaaiNet.Cli.Output;

/// <summary>What a script can tell from the command's exit code.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command failed, or was used wrongly; the message on standard error says why and what to do.</summary>
    public const int Failure = 1;

    /// <summary>No network runs.</summary>
    public const int NotRunning = 3;

    /// <summary>A network runs, but a node of it does not.</summary>
    public const int Degraded = 4;

    /// <summary>Ctrl-C before the command had done its work: 128 + SIGINT, as shells count.</summary>
    public const int Interrupted = 130;
}
