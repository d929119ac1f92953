namespace KwaaiNet.Protocol.Discovery;

/// <summary>A discovery backend could not be reached.</summary>
/// <param name="message">Which one, and what to check.</param>
/// <param name="inner">The transport's own exception.</param>
public sealed class DirectoryUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the discovery service itself says is wrong, without its address; null when it does not answer.</summary>
    public string? Word { get; init; }
}
