using KwaaiNet.ApiNode.Connections;
using KwaaiNet.ApiNode.Failures;
using Microsoft.AspNetCore.Diagnostics;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Collects every route.</summary>
internal static partial class EndpointExtensions
{
    /// <summary>The category routes log under.</summary>
    public const string LogCategory = "KwaaiNet.ApiNode.Routes";

    /// <summary>Maps the API. Whatever fails, the answer is OpenAI's error object with its status.</summary>
    public static WebApplication MapKwaaiNetEndpoints(this WebApplication app)
    {
        ILogger logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(LogCategory);
        app.UseInterimResponses();
        app.UseBrowserAccess();
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = context => AnswerFaultAsync(context, logger), SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages(status => ErrorReply.WriteAsync(status.HttpContext, status.HttpContext.Response.StatusCode));
        app.Use((context, next) => AnswerFailuresAsync(context, next, logger));
        LandingRoute.Map(app);
        ModelsRoute.Map(app);
        ChatCompletionsRoute.Map(app);
        HealthRoute.Map(app);
        return app;
    }

    /// <summary>Logs a failure by whose it is: a client's mistake is of interest only to who looks for it, unless something here could not cope with it.</summary>
    public static void LogFailure(ILogger logger, HttpContext context, ChatFailureException failure) =>
        LogFailure(
            logger, IsMistake(failure) && failure.InnerException is null ? LogLevel.Debug : LogLevel.Warning, IsMistake(failure) ? failure.InnerException : null,
            context.Request.Method, context.Request.Path, failure.Status, failure.Code, failure.Message);

    private static bool IsMistake(ChatFailureException failure) => failure.Status < StatusCodes.Status500InternalServerError;

    /// <summary>Maps a route that only gives something: HEAD asks for the same without the body.</summary>
    public static void MapReadable(this IEndpointRouteBuilder routes, string pattern, RequestDelegate handle) =>
        routes.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], handle);

    private static async Task AnswerFailuresAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (ChatFailureException failure) when (!context.Response.HasStarted)
        {
            LogFailure(logger, context, failure);
            await ErrorReply.WriteAsync(context, failure).ConfigureAwait(false);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await ErrorReply.WriteAsync(context, exception.StatusCode).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered; the session was closed on the way here.
        }
    }

    private static Task AnswerFaultAsync(HttpContext context, ILogger logger)
    {
        if (context.Features.Get<IExceptionHandlerFeature>() is { } fault)
        {
            LogFault(logger, fault.Error, context.Request.Method, fault.Path);
        }

        return ErrorReply.WriteAsync(context, StatusCodes.Status500InternalServerError);
    }

    [LoggerMessage("{Method} {Path}: {Status} {Code}. {Reason}")]
    private static partial void LogFailure(ILogger logger, LogLevel level, Exception? exception, string method, string path, int status, string? code, string reason);

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed.")]
    public static partial void LogFault(ILogger logger, Exception exception, string method, string path);
}
