namespace KwaaiNet.ApiNode.Failures;

/// <summary>A chat request that failed for a reason its sender can be told. Routes turn it into OpenAI's error object.</summary>
internal abstract class ChatFailureException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>OpenAI's type of request errors.</summary>
    public const string InvalidRequest = "invalid_request_error";

    /// <summary>The type of requests that are well and too many.</summary>
    public const string RateLimit = "rate_limit_error";

    /// <summary>OpenAI's type of failures that are not the sender's.</summary>
    public const string ServerError = "server_error";

    /// <summary>The HTTP status.</summary>
    public abstract int Status { get; }

    /// <summary>OpenAI's error type.</summary>
    public virtual string Type => Status switch
    {
        StatusCodes.Status429TooManyRequests => RateLimit,
        < StatusCodes.Status500InternalServerError => InvalidRequest,
        _ => ServerError,
    };

    /// <summary>The error's code: what a program reads.</summary>
    public abstract string? Code { get; }

    /// <summary>The request's field at fault; null for none.</summary>
    public virtual string? Param => null;

    /// <summary>When trying again makes sense; null when it does not.</summary>
    public virtual TimeSpan? RetryAfter => null;
}
