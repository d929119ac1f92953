using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.CandelEngine.Sampling;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>.</summary>
/// <remarks>
/// <code>
/// { "model": "llama3.1:8b",
///   "messages": [ { "role": "user", "content": "Hi" }, { "role": "user", "content": [ { "type": "text", "text": "Hi" } ] } ],
///   "temperature": 0.7, "top_p": 0.9, "top_k": 40, "seed": 7, "max_tokens": 64, "stop": ["\n"],
///   "frequency_penalty": 0.5, "presence_penalty": 0.5, "logit_bias": { "50256": -100 }, "logprobs": true, "top_logprobs": 5,
///   "min_p": 0.05, "typical_p": 0.95, "repetition_penalty": 1.1, "repeat_last_n": 64,
///   "stream": true, "stream_options": { "include_usage": true }, "kwaainet_trust_tier": "Verified" }
/// </code>
/// Seen in the wild: null for what is left out, a key twice (the last one counts), <c>max_completion_tokens</c> instead of or besides
/// <c>max_tokens</c>, fields of other servers (ignored unless they would change the answer).
/// </remarks>
internal static class ChatCompletionRequestReader
{
    private const int MaxStops = 4;
    private const int MaxStopLength = 1024;
    private const int MaxModelLength = 256;
    private const int MaxDepth = 64;
    private const string NoLimit = "Leave it out for no limit.";

    private static readonly JsonDocumentOptions s_json = new() { MaxDepth = MaxDepth };

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidChatRequestException">It is not JSON, or a field is wrong or not supported.</exception>
    public static ChatCompletionRequest Read(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            throw new InvalidChatRequestException(null, "The request has no body; send a JSON object with 'model' and 'messages'.");
        }

        // Also in fields that are ignored, and in keys: a body in another encoding says something else than its sender meant.
        if (!Utf8.IsValid(body.Span))
        {
            throw new InvalidChatRequestException(null, $"The body is not UTF-8, as JSON must be: byte {FirstByteThatIsNoText(body.Span) + 1} begins no character. Send UTF-8.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body, s_json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(new RequestJson(document.RootElement, ""))
                : throw new InvalidChatRequestException(null, "The body must be a JSON object with 'model' and 'messages'.");
        }
        catch (JsonException exception)
        {
            throw new InvalidChatRequestException(
                null, $"The body is not valid JSON, or nested deeper than {MaxDepth} levels, at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            // A key with half a surrogate pair.
            throw new InvalidChatRequestException(null, "The body is not valid JSON: a key is not Unicode text.");
        }
    }

    private static ChatCompletionRequest Read(RequestJson json)
    {
        string? model = json.String("model");
        if (string.IsNullOrEmpty(model))
        {
            throw new InvalidChatRequestException("model", "You must provide a model; GET /v1/models lists them.", "missing_required_parameter");
        }

        if (model.Length > MaxModelLength)
        {
            throw new InvalidChatRequestException("model", $"Invalid 'model': longer than {MaxModelLength} characters.", "string_above_max_length");
        }

        IReadOnlyList<ChatMessage> messages = ChatMessageReader.Read(json.Find("messages"));
        UnsupportedParameters.Refuse(json);
        bool stream = json.Boolean("stream") ?? false;
        bool includeUsage = false;
        if (json.Find("stream_options") is { } streamOptions)
        {
            includeUsage = RequestJson.From(streamOptions, "stream_options").Boolean("include_usage") ?? false;
            if (!stream)
            {
                throw new InvalidChatRequestException("stream_options", "stream_options is only allowed when stream is true.", "invalid_value");
            }
        }

        double? topP = json.Number("top_p", 0, 1);
        if (topP == 0)
        {
            throw new InvalidChatRequestException("top_p", "Invalid 'top_p': it must be above 0.", "invalid_value");
        }

        ChatOptions options = new()
        {
            ModelId = model,
            Temperature = (float?)json.Number("temperature", 0, 2),
            TopP = (float?)topP,
            TopK = (int?)json.Integer("top_k", 0, int.MaxValue),
            FrequencyPenalty = (float?)json.Number("frequency_penalty", -2, 2),
            PresencePenalty = (float?)json.Number("presence_penalty", -2, 2),
            Seed = json.Integer("seed", long.MinValue, long.MaxValue),
            MaxOutputTokens = ReadLimit(json),
            StopSequences = ReadStops(json),
        };
        Add(options, ChatProperties.TrustTier, json.String(ChatProperties.TrustTier));
        Add(options, ChatProperties.TemplateVariables, TemplateVariablesReader.Read(json));
        AddSampling(options, json);
        return new ChatCompletionRequest(messages, options, stream, includeUsage);
    }

    private static int FirstByteThatIsNoText(ReadOnlySpan<byte> body)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(body[at..], out _, out int length) == OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }

    // What chat options have no property of their own for.
    private static void AddSampling(ChatOptions options, RequestJson json)
    {
        foreach (string name in (ReadOnlySpan<string>)[ChatProperties.MinP, ChatProperties.TypicalP, ChatProperties.RepetitionPenalty, ChatProperties.RepeatPenalty])
        {
            Add(options, name, json.Number(name, double.MinValue, double.MaxValue));
        }

        Add(options, ChatProperties.RepeatLastN, json.Integer(ChatProperties.RepeatLastN, -1, int.MaxValue));
        Add(options, ChatProperties.LogitBias, LogitBiasReader.Read(json));
        Add(options, ChatProperties.Logprobs, json.Boolean(ChatProperties.Logprobs));
        Add(options, ChatProperties.TopLogprobs, json.Integer(ChatProperties.TopLogprobs, 0, SamplingParameters.MaxTopLogprobs));
    }

    private static void Add(ChatOptions options, string name, object? value)
    {
        if (value is not null)
        {
            (options.AdditionalProperties ??= [])[name] = value;
        }
    }

    // The old name and the new one; a request that has both gets no more than either allows.
    private static int? ReadLimit(RequestJson json)
    {
        long? old = json.Integer("max_tokens", 1, int.MaxValue, NoLimit);
        long? current = json.Integer("max_completion_tokens", 1, int.MaxValue, NoLimit);
        return (int?)(old is null || current is null ? old ?? current : Math.Min(old.Value, current.Value));
    }

    private static List<string>? ReadStops(RequestJson json)
    {
        if (json.Find("stop") is not { } value)
        {
            return null;
        }

        List<string> stops = [];
        if (value.ValueKind == JsonValueKind.String)
        {
            stops.Add(RequestJson.ReadString(value, "stop"));
        }
        else if (value.ValueKind != JsonValueKind.Array)
        {
            throw RequestJson.WrongType("stop", "a string or an array of strings", value);
        }
        else if (value.GetArrayLength() > MaxStops)
        {
            throw new InvalidChatRequestException("stop", $"Invalid 'stop': {value.GetArrayLength()} strings; at most {MaxStops} are allowed.", "array_above_max_length");
        }
        else
        {
            foreach (JsonElement stop in value.EnumerateArray())
            {
                stops.Add(RequestJson.ReadString(stop, $"stop[{stops.Count}]"));
            }
        }

        return stops.Any(stop => stop.Length is 0 or > MaxStopLength)
            ? throw new InvalidChatRequestException("stop", $"Invalid 'stop': a stop string has 1 to {MaxStopLength} characters.", "invalid_value")
            : stops;
    }
}
