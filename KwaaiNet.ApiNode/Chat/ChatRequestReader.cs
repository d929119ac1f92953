using System.Text.Json;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.Protocol.Trust;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Chat;

/// <summary>Turns messages and options into what the generation needs, and refuses what would change the answer and is not done here.</summary>
internal static class ChatRequestReader
{
    // What a prompt is made of: a request that sets them would be overruled, or offer tools whose calls nobody reads.
    private static readonly HashSet<string> s_ownVariables =
        ["messages", "tools", "add_generation_prompt", "continue_final_message", "bos_token", "eos_token", "unk_token", "pad_token"];

    /// <summary>Reads a request.</summary>
    /// <param name="model">The model asked for.</param>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">Limits and sampling; null: the defaults.</param>
    /// <param name="maxTokensDefault">Tokens of an answer whose request names no limit; null: up to the context's end.</param>
    /// <exception cref="ChatFailureException">The request cannot be served as it is.</exception>
    public static GenerationRequest Read(ChatModel model, IEnumerable<ChatMessage> messages, ChatOptions? options, int? maxTokensDefault)
    {
        Refuse(options);
        SamplingParameters sampling = SamplingOptions.Read(options, model);
        int[] prompt = EncodePrompt(model, messages, options);
        int? wanted = options?.MaxOutputTokens;
        if (wanted <= 0)
        {
            throw new InvalidChatRequestException("max_tokens", $"max_tokens is {wanted}; it must be at least 1. Leave it out for no limit.", "integer_below_min_value");
        }

        int room = model.ContextLength - prompt.Length;
        if (room < 1 || wanted > room)
        {
            throw new ContextLengthExceededException(model.ContextLength, prompt.Length, wanted);
        }

        return new GenerationRequest
        {
            Model = model,
            Prompt = prompt,
            Sampling = sampling,
            MaxNewTokens = wanted ?? Math.Min(room, maxTokensDefault ?? room),
            LimitIsRequested = wanted is not null,
            MinimumTier = ReadTier(options),
            CacheScope = options?.AdditionalProperties?.TryGetValue(ChatProperties.CacheScope, out string? scope) == true ? scope ?? "" : "",
        };
    }

    private static void Refuse(ChatOptions? options)
    {
        if (options is null)
        {
            return;
        }

        Neutral(options.Tools is not { Count: > 0 }, "tools", "Tools are not supported; leave them out.");
        Neutral(
            options.ResponseFormat is null or ChatResponseFormatText, "response_format",
            "Only plain text can be promised; leave response_format out or set its type to 'text'.");
        if (options.StopSequences?.Any(string.IsNullOrEmpty) == true)
        {
            throw new InvalidChatRequestException("stop", "A stop string must not be empty.", "invalid_value");
        }
    }

    private static int[] EncodePrompt(ChatModel model, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ChatTemplateOptions template = ReadTemplateOptions(model, options);
        List<ChatTurn> turns = [];
        if (options?.Instructions is { Length: > 0 } instructions)
        {
            turns.Add(new ChatTurn("system", instructions));
        }

        int index = 0;
        foreach (ChatMessage message in messages)
        {
            AIContent? other = message.Contents.FirstOrDefault(content => content is not (TextContent or TextReasoningContent or UsageContent));
            if (other is not null)
            {
                throw new InvalidChatRequestException(
                    $"messages[{index}].content", $"messages[{index}].content holds {other.GetType().Name}; only text is supported.", InvalidChatRequestException.Unsupported);
            }

            // OpenAI renamed its system role; templates know the old name.
            turns.Add(new ChatTurn(message.Role.Value == "developer" ? "system" : message.Role.Value, message.Text));
            index++;
        }

        if (turns.Count == 0)
        {
            throw new InvalidChatRequestException("messages", "messages is empty; at least one message is needed.", "empty_array");
        }

        int[] prompt;
        int? dropped;
        try
        {
            prompt = PromptEncoder.Encode(model, turns, template);
            dropped = model.ChatTemplate?.FirstDroppedTurn(turns, template);
        }
        catch (ChatTemplateException exception)
        {
            throw new InvalidChatRequestException("messages", $"The chat template of '{model.Id}' refuses this conversation: {exception.Message}", "template_error");
        }

        catch (Exception exception) when (exception is not (OutOfMemoryException or OperationCanceledException))
        {
            // The model's own tokenizer and template run here on what people write; what defeats them is the text, since others pass.
            throw new InvalidChatRequestException(
                "messages", $"The messages cannot be turned into tokens of '{model.Id}': its tokenizer gave up on them. Shorten or rephrase them; the server's log says why.",
                "tokenizer_error", inner: exception);
        }

        if (dropped is int turn)
        {
            // The instructions stand before the messages.
            int message = turn - (turns.Count - index);
            string param = message < 0 ? "instructions" : $"messages[{message}]";
            throw new InvalidChatRequestException(
                param, $"The chat template of '{model.Id}' leaves out {param}, of role '{turns[turn].Role}': the model would not see it. Send it in another role.", "template_error");
        }

        return prompt.Length > 0
            ? prompt
            : throw new InvalidChatRequestException("messages", "The messages hold no text, and the model needs at least one token to start from.");
    }

    private static ChatTemplateOptions ReadTemplateOptions(ChatModel model, ChatOptions? options)
    {
        const string Name = ChatProperties.TemplateVariables;
        object? value = null;
        if (options?.AdditionalProperties?.TryGetValue(Name, out value) != true || value is null)
        {
            return new ChatTemplateOptions();
        }

        if (value is not JsonElement { ValueKind: JsonValueKind.Object } json)
        {
            throw new InvalidChatRequestException(Name, $"{Name} must be a JSON object.", "invalid_type");
        }

        // Of a key twice the last one counts, as everywhere in a request.
        Dictionary<string, JsonElement> variables = new(StringComparer.Ordinal);
        foreach (JsonProperty property in json.EnumerateObject())
        {
            if (s_ownVariables.Contains(property.Name))
            {
                throw new InvalidChatRequestException(Name, $"{Name} must not set '{property.Name}', which is the server's to set.", InvalidChatRequestException.Unsupported);
            }

            variables[property.Name] = property.Value;
        }

        return variables.Count == 0 || model.ChatTemplate is not null
            ? new ChatTemplateOptions { Variables = variables }
            : throw new InvalidChatRequestException(Name, $"'{model.Id}' is a base model without a chat template: leave {Name} out.", InvalidChatRequestException.Unsupported);
    }

    private static TrustTier ReadTier(ChatOptions? options)
    {
        object? value = null;
        if (options?.AdditionalProperties?.TryGetValue(ChatProperties.TrustTier, out value) != true || value is null)
        {
            return TrustTier.Unknown;
        }

        if (value is TrustTier tier && Enum.IsDefined(tier))
        {
            return tier;
        }

        // Names only: Enum.TryParse would read "7" as a tier as well.
        return value is string text && Enum.GetNames<TrustTier>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<TrustTier>(known)
            : throw new InvalidChatRequestException(
                ChatProperties.TrustTier, $"kwaainet_trust_tier must be one of {string.Join(", ", Enum.GetNames<TrustTier>())}.", "invalid_value");
    }

    private static void Neutral(bool isNeutral, string param, string message)
    {
        if (!isNeutral)
        {
            throw new InvalidChatRequestException(param, message, InvalidChatRequestException.Unsupported);
        }
    }
}
