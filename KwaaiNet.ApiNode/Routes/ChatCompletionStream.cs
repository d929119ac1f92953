using System.Buffers;
using System.Text.Json;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.OpenAIJson;
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
    private static ReadOnlySpan<byte> EventStart => "data: "u8;

    private static ReadOnlySpan<byte> EventEnd => "\n\n"u8;

    private static ReadOnlySpan<byte> Done => "data: [DONE]\n\n"u8;

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
        ChunkWriter writer = new(context.Response, request);
        try
        {
            await alive.StartAsync(isLate, aborted).ConfigureAwait(false);
            more = await first.ConfigureAwait(false);
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            if (more)
            {
                writer.Write(updates.Current, new ChunkDelta("assistant", ""), null);
            }

            ChatFinishReason? finish = null;
            UsageDetails? usage = null;
            while (more)
            {
                ChatResponseUpdate update = updates.Current;
                CompletionLogprobs? logprobs = CompletionFields.Logprobs(update.AdditionalProperties);
                if (update.Text.Length > 0 || logprobs is { Content.Count: > 0 })
                {
                    writer.Write(update, new ChunkDelta(null, update.Text), null, logprobs);
                }

                finish = update.FinishReason ?? finish;
                usage = update.Contents.OfType<UsageContent>().FirstOrDefault()?.Details ?? usage;
                await writer.FlushAsync(aborted).ConfigureAwait(false);
                alive.Leave();
                more = await updates.MoveNextAsync().ConfigureAwait(false);
                await alive.EnterAsync(aborted).ConfigureAwait(false);
            }

            writer.Write(new ChunkDelta(null, null), CompletionFields.FinishReason(finish));
            writer.WriteUsage(usage);
            context.Response.BodyWriter.Write(Done);
        }
        catch (ChatFailureException failure)
        {
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            EndpointExtensions.LogFailure(Logger(context), context, failure);
            writer.Write(ErrorReply.Describe(failure));
        }
#pragma warning disable CA1031 // The status is long sent: whatever failed, the reader must not take the text so far for the whole answer.
        catch (Exception fault) when (!aborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            await alive.EnterAsync(aborted).ConfigureAwait(false);
            EndpointExtensions.LogFault(Logger(context), fault, context.Request.Method, context.Request.Path);
            writer.Write(ErrorReply.Fault);
        }
        finally
        {
            // An enumerator must not be disposed of while it moves, which it still does where the client left before the first token.
            await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // Nobody leaves after this: a comment behind the last event would come too late.
        await writer.FlushAsync(aborted).ConfigureAwait(false);
    }

    private static ILogger Logger(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(EndpointExtensions.LogCategory);

    private sealed class ChunkWriter(HttpResponse response, ChatCompletionRequest request)
    {
        private readonly Utf8JsonWriter _json = new(response.BodyWriter, new JsonWriterOptions { Encoder = ApiJsonContext.Unescaped.Options.Encoder, SkipValidation = true });
        private string _id = "";
        private string _model = request.Options.ModelId ?? "";
        private string? _fingerprint;
        private long _created;

        public void Write(ChatResponseUpdate update, ChunkDelta delta, string? finishReason, CompletionLogprobs? logprobs = null)
        {
            _id = update.ResponseId ?? _id;
            _model = update.ModelId ?? _model;
            _created = update.CreatedAt is { } created ? CompletionFields.Created(created) : _created;
            _fingerprint = CompletionFields.Fingerprint(update.AdditionalProperties) ?? _fingerprint;
            Write(delta, finishReason, logprobs);
        }

        public void Write(ChunkDelta delta, string? finishReason, CompletionLogprobs? logprobs = null) =>
            WriteChunk([new ChunkChoice(0, delta, finishReason) { Logprobs = logprobs }], null);

        public void WriteUsage(UsageDetails? usage)
        {
            if (request.IncludeUsage)
            {
                WriteChunk([], CompletionFields.Usage(usage));
            }
        }

        public void Write(ErrorEnvelope error)
        {
            response.BodyWriter.Write(EventStart);
            JsonSerializer.Serialize(_json, error, ApiJsonContext.Unescaped.ErrorEnvelope);
            End();
        }

        public async Task FlushAsync(CancellationToken cancellationToken) =>
            await response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);

        private void WriteChunk(IReadOnlyList<ChunkChoice> choices, CompletionUsage? usage)
        {
            response.BodyWriter.Write(EventStart);
            if (request.IncludeUsage)
            {
                JsonSerializer.Serialize(
                    _json, new CompletionChunkWithUsage(_id, CompletionChunk.ObjectName, _created, _model, _fingerprint, choices, usage),
                    ApiJsonContext.Unescaped.CompletionChunkWithUsage);
            }
            else
            {
                JsonSerializer.Serialize(
                    _json, new CompletionChunk(_id, CompletionChunk.ObjectName, _created, _model, _fingerprint, choices),
                    ApiJsonContext.Unescaped.CompletionChunk);
            }

            End();
        }

        private void End()
        {
            _json.Flush();
            _json.Reset();
            response.BodyWriter.Write(EventEnd);
        }
    }
}
