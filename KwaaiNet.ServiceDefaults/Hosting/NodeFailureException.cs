namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>A host cannot go on, and its exit code says why. <see cref="NodeProgram"/> reports it in one line.</summary>
/// <param name="message">What happened, and what to do.</param>
/// <param name="exitCode">The process's exit code.</param>
/// <param name="inner">What it followed from.</param>
public sealed class NodeFailureException(string message, int exitCode, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The process's exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
