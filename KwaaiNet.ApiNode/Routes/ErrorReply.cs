using System.Globalization;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.OpenAIJson;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Writes OpenAI's error object.</summary>
internal static class ErrorReply
{
    /// <summary>The object of a failure.</summary>
    public static ErrorEnvelope Describe(ChatFailureException failure) => new(new ErrorBody(failure.Message, failure.Type, failure.Param, failure.Code));

    /// <summary>The object of a fault: what failed is for the log.</summary>
    public static ErrorEnvelope Fault { get; } = new(new ErrorBody(
        "The server failed while handling the request. Its log says why.", ChatFailureException.ServerError, null, "internal_error"));

    /// <summary>Answers with a failure.</summary>
    public static Task WriteAsync(HttpContext context, ChatFailureException failure)
    {
        if (failure.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, failure.Status, Describe(failure));
    }

    /// <summary>Answers with a status that no failure of ours stands for: a route that does not exist, a method it does not have, a fault.</summary>
    public static Task WriteAsync(HttpContext context, int status)
    {
        string path = $"{context.Request.Method} {context.Request.Path}";
        ErrorBody body = status switch
        {
            StatusCodes.Status404NotFound => new ErrorBody(
                $"Unknown request URL: {path}. The routes are listed at GET /.", ChatFailureException.InvalidRequest, null, "unknown_url"),
            StatusCodes.Status405MethodNotAllowed => new ErrorBody(
                $"Not allowed: {path}. Allowed here: {context.Response.Headers.Allow}.", ChatFailureException.InvalidRequest, null, "method_not_allowed"),
            >= StatusCodes.Status500InternalServerError => Fault.Error,
            _ => new ErrorBody($"The request could not be read ({status}).", ChatFailureException.InvalidRequest, null, null),
        };
        return WriteAsync(context, status, new ErrorEnvelope(body));
    }

    private static Task WriteAsync(HttpContext context, int status, ErrorEnvelope error)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(error, ApiJsonContext.Unescaped.ErrorEnvelope, cancellationToken: context.RequestAborted);
    }
}
