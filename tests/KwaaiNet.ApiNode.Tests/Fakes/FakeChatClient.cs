using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>Gives the updates it is told to; remembers what it was asked.</summary>
internal sealed class FakeChatClient(params ChatResponseUpdate[] updates) : IChatClient
{
    public IReadOnlyList<ChatMessage> Messages { get; private set; } = [];

    public ChatOptions? Options { get; private set; }

    /// <summary>Given behind the updates as they come, to the reader's end.</summary>
    public ChannelReader<string>? Texts { get; init; }

    /// <summary>Thrown behind the last update.</summary>
    public Exception? Failure { get; init; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask;
        Messages = [.. messages];
        Options = options;
        foreach (ChatResponseUpdate update in updates)
        {
            update.ResponseId = update.MessageId = "chatcmpl-1";
            update.CreatedAt = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
            update.ModelId = "demo";
            yield return update;
        }

        while (Texts is not null && await Texts.WaitToReadAsync(cancellationToken))
        {
            while (Texts.TryRead(out string? text)) yield return new ChatResponseUpdate(ChatRole.Assistant, text);
        }

        if (Failure is not null)
        {
            throw Failure;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
