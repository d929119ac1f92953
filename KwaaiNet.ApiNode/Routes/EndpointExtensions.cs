using KwaaiNet.ApiNode.Chat;
using Microsoft.AspNetCore.Diagnostics;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Collects every route.</summary>
internal static partial class EndpointExtensions
{
    /// <summary>Maps the API. Whatever fails, the answer is OpenAI's error object with its status.</summary>
    public static WebApplication MapKwaaiNetEndpoints(this WebApplication app)
    {
        ILogger logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("KwaaiNet.ApiNode.Routes");
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = context => AnswerFaultAsync(context, logger), SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages(status => ErrorReply.WriteAsync(status.HttpContext, status.HttpContext.Response.StatusCode));
        app.Use(AnswerFailuresAsync);
        LandingRoute.Map(app);
        ModelsRoute.Map(app);
        ChatCompletionsRoute.Map(app);
        HealthRoute.Map(app);
        return app;
    }

    private static async Task AnswerFailuresAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (ChatFailureException failure) when (!context.Response.HasStarted)
        {
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

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed.")]
    private static partial void LogFault(ILogger logger, Exception exception, string method, string path);
}
