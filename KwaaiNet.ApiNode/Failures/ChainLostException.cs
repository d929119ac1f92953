namespace KwaaiNet.ApiNode.Failures;

/// <summary>Chains were there and failed, and no other could take the answer over.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">The last chain's failure.</param>
internal sealed class ChainLostException(string message, Exception? inner = null) : ChatFailureException(message, inner)
{
    /// <inheritdoc/>
    public override int Status => StatusCodes.Status503ServiceUnavailable;

    /// <inheritdoc/>
    public override string Code => "chain_lost";

    /// <inheritdoc/>
    public override TimeSpan? RetryAfter => TimeSpan.FromSeconds(5);
}
