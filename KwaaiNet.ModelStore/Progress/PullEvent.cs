namespace KwaaiNet.ModelStore.Progress;

/// <summary>Something a pull reports while it runs.</summary>
/// <param name="Stage">What it does.</param>
/// <param name="File">The file it concerns; null: none in particular.</param>
/// <param name="Bytes">How far it is, in bytes.</param>
/// <param name="Total">How far it goes; null: not known.</param>
/// <param name="Text">A sentence for people; null: none.</param>
public sealed record PullEvent(PullStage Stage, string? File, long Bytes, long? Total, string? Text)
{
    /// <summary>A sentence for people.</summary>
    public static PullEvent Note(string text) => new(PullStage.Note, null, 0, null, text);
}
