namespace KwaaiNet.ModelStore.Transfer;

/// <summary>A request or an answer broke off in a way that may not happen again.</summary>
/// <param name="message">What happened.</param>
/// <param name="retryAfter">How long the server asks to be left alone; null: it does not say.</param>
/// <param name="inner">The cause.</param>
internal sealed class TransferCutException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How long the server asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
