using System.Globalization;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Backends;

/// <summary>What is wrong with a Redis server, in its own words where it said any, and what to do.</summary>
/// <param name="Word">The first word of its error: <c>OOM</c>, <c>READONLY</c>, <c>WRONGPASS</c>; null: it said nothing.</param>
/// <param name="Reason">One sentence without its full stop.</param>
/// <param name="Remedy">What to do, one sentence.</param>
internal sealed record RedisFault(string? Word, string Reason, string Remedy)
{
    /// <summary>How the client marks what the server said.</summary>
    private const string Said = "SimpleError: ";

    // What servers before version 6 say.
    private const string OldRefusal = "ERR invalid password";

    /// <summary>Whether signing in failed: trying again cannot help.</summary>
    public bool IsSignIn => Word is "NOAUTH" or "WRONGPASS" || Reason.StartsWith(OldRefusal, StringComparison.Ordinal);

    /// <summary>Reads an exception of the client.</summary>
    public static RedisFault Of(Exception? error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is RedisServerException) return OfWords(cause.Message);
            if (cause is RedisTimeoutException) return new(null, "it does not answer in time", RemedyFor(null));
            int at = cause.Message.IndexOf(Said, StringComparison.Ordinal);
            if (at >= 0) return OfWords(cause.Message[(at + Said.Length)..]);
            if (cause.Message.Contains("not eligible for replica", StringComparison.Ordinal)) return OfWords("READONLY You can't write against a read only replica.");
        }

        return new(null, error switch
        {
            null => "the connection was lost",
            RedisConnectionException { FailureType: ConnectionFailureType.UnableToConnect or ConnectionFailureType.UnableToResolvePhysicalConnection } => "nobody answers there",
            RedisConnectionException connection => $"the connection broke ({connection.FailureType})",
            _ => error.GetType().Name,
        }, RemedyFor(null));
    }

    /// <summary>Reads an error reply: <c>OOM command not allowed when used memory &gt; 'maxmemory'. script: …</c></summary>
    public static RedisFault OfWords(string words)
    {
        // The first sentence is Redis's, what follows is the client's or names our script.
        int end = words.IndexOf(". ", StringComparison.Ordinal);
        string reason = (end < 0 ? words : words[..end]).TrimEnd('.').Trim();
        string first = reason.Split(' ')[0];
        string? word = first.Length > 1 && first.All(char.IsAsciiLetterUpper) ? first : null;
        return new(word, reason, RemedyFor(word));
    }

    /// <summary>For people.</summary>
    public string Describe(string name) => string.Create(CultureInfo.InvariantCulture, $"{name} cannot be used: {Reason}. {Remedy}");

    private static string RemedyFor(string? word) => word switch
    {
        "OOM" => "It is full: give it more memory (maxmemory), or remove keys.",
        "READONLY" => "It is a replica: name the primary in ConnectionStrings:registry.",
        "MISCONF" => "It cannot save to its disk and takes no writes: see its own log.",
        "NOAUTH" or "WRONGPASS" => "Set the right password (and user) in ConnectionStrings:registry: host:port,password=….",
        "NOPERM" => "Let the user in ConnectionStrings:registry use the keys and channels {kwaainet}:*.",
        "LOADING" => "It reads its data from disk; wait until it has.",
        _ => "Check that it runs and that ConnectionStrings:registry names it.",
    };
}
