using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.CandelEngine.Text;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Chat;

/// <summary>Answers chats by running the model on shard chains. One client for every model of the catalog, chosen by <see cref="ChatOptions.ModelId"/>. Safe for concurrent use.</summary>
/// <remarks>
/// Failures are <see cref="ChatFailureException"/>s. Usage counts the prompt as it was encoded, template included, and every token
/// that was generated, the end token included; tokens that the ring ran ahead behind a stop are not counted.
/// </remarks>
internal sealed class ShardChainChatClient : IChatClient
{
    /// <summary>What telemetry calls this provider.</summary>
    public const string ProviderName = "kwaainet";

    private readonly IChatModelCatalog _catalog;
    private readonly ChainServices _services;
    private readonly ILogger<ChainGeneration> _logger;

    /// <summary>Makes the client.</summary>
    public ShardChainChatClient(IChatModelCatalog catalog, ChainServices services, ILogger<ChainGeneration> logger)
    {
        _catalog = catalog;
        _services = services;
        _logger = logger;
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        List<ChatResponseUpdate> updates = [];
        List<LogprobContent>? logprobs = null;
        await foreach (ChatResponseUpdate update in GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            // Taken out: of updates' properties of one name an answer keeps one, and these are to be joined.
            if (update.AdditionalProperties is { } properties && properties.Remove(ChatProperties.Logprobs, out object? part))
            {
                (logprobs ??= []).AddRange((IReadOnlyList<LogprobContent>)part!);
            }

            updates.Add(update);
        }

        ChatResponse response = updates.ToChatResponse();
        if (logprobs is not null)
        {
            (response.AdditionalProperties ??= [])[ChatProperties.Logprobs] = logprobs;
        }

        return response;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return StreamAsync(messages, options, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(ProviderName, null, _catalog.Models is [{ } only] ? only.Id : null)
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Links and models belong to the host.
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ChatModel model = FindModel(options?.ModelId);
        GenerationRequest request = ChatRequestReader.Read(model, messages, options, _services.Options.MaxTokensDefault);
        string id = $"chatcmpl-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        DateTimeOffset created = _services.Time.GetUtcNow();
        StreamingDecoder decoder = model.Tokenizer.CreateStreamingDecoder();
        StopStringFilter filter = new([.. options?.StopSequences ?? []]);
        LogprobTrail? trail = request.Sampling.TopLogprobs is null ? null : new LogprobTrail(model.Tokenizer);
        using ChainGeneration generation = new(request, _services, _logger);

        ChatFinishReason? finish = null;
        bool first = true;
        while (finish is null)
        {
            SampledToken token = await NextAsync(generation, model, cancellationToken).ConfigureAwait(false);
            if (first)
            {
                first = false;
                ChatResponseUpdate opening = Update([]);
                opening.AdditionalProperties = new AdditionalPropertiesDictionary { [ChatProperties.Fingerprint] = model.Fingerprint };
                if (trail is not null)
                {
                    opening.AdditionalProperties[ChatProperties.Logprobs] = Array.Empty<LogprobContent>();
                }

                yield return opening;
            }

            bool ended = model.Tokenizer.EndOfGenerationIds.Contains(token.Id);
            string text = ended ? "" : Append(token);
            finish = ended || filter.Stopped ? ChatFinishReason.Stop
                : token.Last || generation.Generated >= generation.MaxNewTokens ? ChatFinishReason.Length
                : null;
            if (finish is not null && !filter.Stopped)
            {
                text += filter.Append(decoder.Flush());
                text += filter.Flush();
            }

            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyList<LogprobContent>? logprobs = trail?.Take(text.Length, isEnd: finish is not null && !filter.Stopped);
            if (text.Length > 0 || logprobs is not null)
            {
                ChatResponseUpdate next = Update(text.Length > 0 ? [new TextContent(text)] : []);
                if (logprobs is not null)
                {
                    next.AdditionalProperties = new AdditionalPropertiesDictionary { [ChatProperties.Logprobs] = logprobs };
                }

                yield return next;
            }
        }

        // The shards are told before the reader is: a slow reader must not hold KV.
        generation.Dispose();
        cancellationToken.ThrowIfCancellationRequested();
        ChatResponseUpdate last = Update(
        [
            new UsageContent(new UsageDetails
            {
                InputTokenCount = request.Prompt.Length,
                OutputTokenCount = generation.Generated,
                TotalTokenCount = request.Prompt.Length + generation.Generated,
                CachedInputTokenCount = generation.CachedTokens,
            }),
        ]);
        last.FinishReason = finish;
        yield return last;

        string Append(SampledToken token)
        {
            ReadOnlySpan<char> decoded = decoder.Append(token.Id);
            trail?.Add(token, decoded.Length);
            return filter.Append(decoded);
        }

        ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            CreatedAt = created,
            ModelId = model.Id,
        };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<SampledToken> NextAsync(ChainGeneration generation, ChatModel model, CancellationToken cancellationToken)
    {
        try
        {
            return await generation.NextAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChatFailureException exception)
        {
            _services.Telemetry.Failures.Add(
                1, new(ApiTelemetry.Tags.Model, model.Id), new(ApiTelemetry.Tags.Error, exception.Code ?? exception.Status.ToString(CultureInfo.InvariantCulture)));
            throw;
        }
    }

    private ChatModel FindModel(string? id)
    {
        if (id is null)
        {
            return _catalog.Models is [{ } only]
                ? only
                : throw new InvalidChatRequestException("model", "Name a model; GET /v1/models lists them.");
        }

        return _catalog.Find(id)
            ?? throw (_catalog.IsOpening(id) ? ChainUnavailableException.Opening(id) : new UnknownModelException(id));
    }
}
