namespace KwaaiNet.ShardNode.Loading;

/// <summary>How far this node's download is. Safe for concurrent use.</summary>
internal sealed class PullProgress
{
    private string? _text;

    /// <summary>How far it is, in words; null: none is under way.</summary>
    public string? Text { get => Volatile.Read(ref _text); set => Volatile.Write(ref _text, value); }
}
