using System.Net;
using System.Net.Http.Headers;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>An answer with a file's bytes, its headers read and its body still to come.</summary>
/// <param name="response">The answer; disposed with this.</param>
/// <param name="linked">What the first host of a chain of redirects said of the file it sent us on to.</param>
internal sealed class RemoteAnswer(HttpResponseMessage response, LinkedFile linked) : IDisposable
{
    /// <summary>Whether the body is the part that was asked for (206), and not the whole file (200).</summary>
    public bool IsPart => response.StatusCode == HttpStatusCode.PartialContent;

    /// <summary>The first byte the body starts with, counted in the whole file.</summary>
    public long From => IsPart ? response.Content.Headers.ContentRange?.From ?? -1 : 0;

    /// <summary>The whole file's size; null: not said.</summary>
    public long? Size => IsPart ? response.Content.Headers.ContentRange?.Length : response.Content.Headers.ContentLength;

    /// <summary>The file's version, fit for <c>If-Range</c>; null: none, or a weak one.</summary>
    public string? ETag => response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>What the first host said.</summary>
    public LinkedFile Linked => linked;

    /// <summary>Whether a page for people came in place of a file.</summary>
    public bool IsWebPage => response.Content.Headers.ContentType is MediaTypeHeaderValue { MediaType: "text/html" or "application/xhtml+xml" };

    /// <summary>The body.</summary>
    public Task<Stream> ReadAsync(CancellationToken cancellationToken) => response.Content.ReadAsStreamAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => response.Dispose();
}
