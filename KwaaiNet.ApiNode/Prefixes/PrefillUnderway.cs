using System.Collections.Immutable;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Prefixes;

/// <summary>A prompt that a chain computes, from before its session is opened to its first token.</summary>
internal sealed class PrefillUnderway(PrefillsUnderway all, ImmutableArray<PageHash> pages) : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its whole pages.</summary>
    public ImmutableArray<PageHash> Pages { get; } = pages;

    /// <summary>Done when it has been computed, or will not be.</summary>
    public Task Ended => _ended.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        all.End(this);
        _ended.TrySetResult();
    }
}
