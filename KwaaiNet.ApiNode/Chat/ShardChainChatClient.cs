using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Models;
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

    private readonly IModelCatalog _catalog;
    private readonly ChainServices _services;
    private readonly ILogger<ChainGeneration> _logger;

    /// <summary>Makes the client.</summary>
    public ShardChainChatClient(IModelCatalog catalog, ChainServices services, ILogger<ChainGeneration> logger)
    {
        _catalog = catalog;
        _services = services;
        _logger = logger;
    }

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

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
        ServedModel model = FindModel(options?.ModelId);
        GenerationRequest request = ChatRequestReader.Read(model, messages, options, _services.Options.MaxTokensDefault);
        string id = $"chatcmpl-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        DateTimeOffset created = _services.Time.GetUtcNow();
        StreamingDecoder decoder = model.Tokenizer.CreateStreamingDecoder();
        StopStringFilter filter = new([.. options?.StopSequences ?? []]);
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
                yield return opening;
            }

            bool ended = model.Tokenizer.EndOfGenerationIds.Contains(token.Id);
            string text = ended ? "" : filter.Append(decoder.Append(token.Id));
            finish = ended || filter.Stopped ? ChatFinishReason.Stop
                : token.Last || generation.Generated >= generation.MaxNewTokens ? ChatFinishReason.Length
                : null;
            if (finish is not null && !filter.Stopped)
            {
                text += filter.Append(decoder.Flush());
                text += filter.Flush();
            }

            if (text.Length > 0)
            {
                yield return Update([new TextContent(text)]);
            }
        }

        // The shards are told before the reader is: a slow reader must not hold KV.
        generation.Dispose();
        ChatResponseUpdate last = Update(
        [
            new UsageContent(new UsageDetails
            {
                InputTokenCount = request.Prompt.Length,
                OutputTokenCount = generation.Generated,
                TotalTokenCount = request.Prompt.Length + generation.Generated,
            }),
        ]);
        last.FinishReason = finish;
        yield return last;

        ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            CreatedAt = created,
            ModelId = model.Id,
        };
    }

    private async ValueTask<SampledToken> NextAsync(ChainGeneration generation, ServedModel model, CancellationToken cancellationToken)
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

    private ServedModel FindModel(string? id)
    {
        if (id is null)
        {
            return _catalog.Models is [{ } only]
                ? only
                : throw new InvalidChatRequestException("model", "Name a model; GET /v1/models lists them.");
        }

        return _catalog.Find(id)
            ?? throw (_catalog.IsOpening(id) ? ChainUnavailableException.Opening(id) : new ModelNotFoundException(id));
    }
}
