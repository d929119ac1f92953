using System.Net;

namespace KwaaiNet.ModelStore;

/// <summary>A model cannot be fetched, kept or removed, for a reason its user can act on.</summary>
/// <param name="message">What is wrong: names the file or the model, what was expected and what was found.</param>
/// <param name="remedy">What to do about it.</param>
/// <param name="inner">The cause, if another exception showed it.</param>
public sealed class ModelStoreException(string message, string remedy, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What to do about it.</summary>
    public string Remedy { get; } = remedy;

    /// <summary>What a server answered that refused; null where none did.</summary>
    public HttpStatusCode? Status { get; init; }
}
