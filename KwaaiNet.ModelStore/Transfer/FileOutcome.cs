namespace KwaaiNet.ModelStore.Transfer;

/// <summary>What became of one file of a pull.</summary>
/// <param name="Path">Its full path.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">SHA-256 of its bytes, lower-case hex; of a part, of the whole file it is part of; null: not known.</param>
/// <param name="Received">Bytes that came over the wire in this run.</param>
/// <param name="Resumed">Bytes an earlier run had left.</param>
/// <param name="WasThere">Whether it was here already, with the right digest.</param>
public sealed record FileOutcome(string Path, long Bytes, string? Sha256, long Received, long Resumed, bool WasThere)
{
    /// <summary>Whether its bytes were compared with a digest from its publisher.</summary>
    public bool IsVerified { get; init; } = true;
}
