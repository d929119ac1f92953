namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What became of a request.</summary>
internal enum SoakOutcome
{
    /// <summary>The answer is its undisturbed twin's, to the last character.</summary>
    Answered,

    /// <summary>The reader went away; what had come until then is how the twin begins.</summary>
    Cancelled,

    /// <summary>The API had no room: 429 or 503.</summary>
    Refused,

    /// <summary>Another error, or an answer that broke off.</summary>
    Failed,

    /// <summary>The answer is not the twin's.</summary>
    Different,
}
