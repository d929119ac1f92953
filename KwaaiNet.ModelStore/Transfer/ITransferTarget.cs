namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Where received bytes go.</summary>
internal interface ITransferTarget
{
    /// <summary>Takes the next bytes.</summary>
    /// <exception cref="ModelStoreException">They are not what they should be, or cannot be kept.</exception>
    ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Drops what was received: the source starts from the beginning.</summary>
    /// <param name="why">The reason, for the user.</param>
    /// <returns>False when the target cannot: it wanted a part.</returns>
    bool TryRestart(string why);
}
