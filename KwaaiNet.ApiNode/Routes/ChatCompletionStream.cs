using System.IO.Pipelines;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Failures;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Writes an answer as server-sent events.</summary>
/// <remarks>
/// <code>
/// data: {…,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"logprobs":null}]}
///
/// data: {…,"choices":[{"index":0,"delta":{"content":"Hel"},…}]}
///
/// data: {…,"choices":[{"index":0,"delta":{},"finish_reason":"stop",…}]}
///
/// data: {…,"choices":[],"usage":{…}}          only when stream_options.include_usage is true
///
/// data: [DONE]
/// </code>
/// Nothing is sent before the first token is there, or half of <see cref="ApiOptions.KeepAliveSeconds"/> have passed, so a request that
/// cannot be served has a real status. A failure after that is <c>data: {"error":{…}}</c>, and the stream ends without a finish reason
/// and without [DONE].
/// </remarks>
internal static class ChatCompletionStream
{
    // Of tokens that are there already so many go out at once: a reader must not wait for all that a chain has run ahead.
    private const int MaxUnsent = 32;

    /// <summary>Answers a request.</summary>
    public static async Task WriteAsync(HttpContext context, IChatClient client, ChatCompletionRequest request)
    {
        CancellationToken aborted = context.RequestAborted;
        await using IAsyncEnumerator<ChatResponseUpdate> updates =
            client.GetStreamingResponseAsync(request.Messages, request.Options, aborted).GetAsyncEnumerator(aborted);
        IServiceProvider services = context.RequestServices;
        using StreamKeepAlive alive = new(
            context.Response, services.GetRequiredService<IOptions<ApiOptions>>().Value.KeepAliveSeconds, services.GetRequiredService<TimeProvider>());
        Task<bool> first = updates.MoveNextAsync().AsTask();
        await alive.WaitForFirstAsync(first, aborted).ConfigureAwait(false);
        bool isLate = !first.IsCompleted;
        bool more = !isLate && await first.ConfigureAwait(false);
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        // Proxies that buffer would turn a stream into one late answer.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        PipeWriter output = context.Response.BodyWriter;
        CompletionEvents events = new(output, request.Options.ModelId ?? "", request.IncludeUsage);
        ValueTask<bool> next = default;
        bool isMoving = false;
        try
        {
            await alive.StartAsync(isLate, aborted).ConfigureAwait(false);
            more = await first.ConfigureAwait(false);
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            if (more)
            {
                events.WriteRole(updates.Current);
            }

            ChatFinishReason? finish = null;
            UsageDetails? usage = null;
            int unsent = 0;
            while (more)
            {
                ChatResponseUpdate update = updates.Current;
                events.Write(update);
                finish = update.FinishReason ?? finish;
                usage = Usage(update.Contents) ?? usage;
                next = updates.MoveNextAsync();
                isMoving = true;
                // A token that is there already goes out with this one; none waits for one that is not.
                if (!next.IsCompleted || ++unsent >= MaxUnsent)
                {
                    unsent = 0;
                    await output.FlushAsync(aborted).ConfigureAwait(false);
                    alive.Leave();
                }

                isMoving = false;
                more = await next.ConfigureAwait(false);
                await alive.EnterAsync(aborted).ConfigureAwait(false);
            }

            events.WriteFinish(finish);
            events.WriteUsage(usage);
            events.WriteDone();
        }
        catch (ChatFailureException failure)
        {
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            EndpointExtensions.LogFailure(Logger(context), context, failure);
            events.Write(ErrorReply.Describe(failure));
        }
#pragma warning disable CA1031 // The status is long sent: whatever failed, the reader must not take the text so far for the whole answer.
        catch (Exception fault) when (!aborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            EndpointExtensions.LogFault(Logger(context), fault, context.Request.Method, context.Request.Path);
            events.Write(ErrorReply.Fault);
        }
        finally
        {
            // An enumerator must not be disposed of while it moves, which it still does where the client left before the first token, or under a write.
            await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (isMoving)
            {
                await ((Task)next.AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        // Nobody leaves after this: a comment behind the last event would come too late.
        await output.FlushAsync(aborted).ConfigureAwait(false);
    }

    private static UsageDetails? Usage(IList<AIContent> contents)
    {
        // Not by LINQ: it is asked of every token.
        for (int i = 0; i < contents.Count; i++)
        {
            if (contents[i] is UsageContent usage)
            {
                return usage.Details;
            }
        }

        return null;
    }

    private static ILogger Logger(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(EndpointExtensions.LogCategory);
}
