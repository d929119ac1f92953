namespace KwaaiNet.Cli.Output;

/// <summary>A command cannot go on, for a reason its user can act on.</summary>
/// <param name="message">What is wrong, in one sentence.</param>
/// <param name="remedy">What to do about it.</param>
/// <param name="exitCode">The process's exit code.</param>
internal sealed class CommandFailure(string message, string remedy, int exitCode = ExitCode.Failure) : Exception(message)
{
    public string Remedy { get; } = remedy;

    public int ExitCode { get; } = exitCode;
}
