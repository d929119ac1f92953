using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Sessions;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Chat;

/// <summary>Reads how an answer's tokens are drawn: the request first, then what the model's makers recommend, then OpenAI's defaults.</summary>
internal static class SamplingOptions
{
    // What OpenAI's API does when a request is silent.
    private const float DefaultTemperature = 1;
    private const float DefaultTopP = 1;

    // What llama.cpp and Ollama look back at under their name of the penalty.
    private const int DefaultRepeatLastN = 64;

    private const float MaxLogitBias = 100;
    private const float MaxRepetitionPenalty = 10;

    /// <summary>Reads the options.</summary>
    /// <exception cref="InvalidChatRequestException">A value is outside of its range; the field is named as OpenAI's wire names it.</exception>
    public static SamplingParameters Read(ChatOptions? options, ChatModel model)
    {
        RecommendedSampling recommended = model.RecommendedSampling;
        (float penalty, int lastN) = Repetition(options, recommended);
        return new SamplingParameters
        {
            Temperature = In(options?.Temperature, value => value is >= 0 and <= 2, "temperature", "between 0 and 2") ?? recommended.Temperature ?? DefaultTemperature,
            TopP = In(options?.TopP, value => value is > 0 and <= 1, "top_p", "above 0 and at most 1") ?? recommended.TopP ?? DefaultTopP,
            TopK = options?.TopK switch
            {
                null => recommended.TopK ?? 0,
                >= 0 and int topK => topK,
                _ => throw Wrong("top_k", "0 (all tokens) or more"),
            },
            MinP = In(Number(options, ChatProperties.MinP), value => value is >= 0 and <= 1, ChatProperties.MinP, "between 0 and 1") ?? recommended.MinP ?? 0,
            TypicalP = In(Number(options, ChatProperties.TypicalP), value => value is > 0 and <= 1, ChatProperties.TypicalP, "above 0 and at most 1") ?? recommended.TypicalP ?? 1,
            RepetitionPenalty = penalty,
            RepeatLastN = lastN,
            PresencePenalty = In(options?.PresencePenalty, value => value is >= -2 and <= 2, "presence_penalty", "between -2 and 2") ?? 0,
            FrequencyPenalty = In(options?.FrequencyPenalty, value => value is >= -2 and <= 2, "frequency_penalty", "between -2 and 2") ?? 0,
            LogitBias = Biases(options, model.Tokenizer.VocabularySize),
            TopLogprobs = Logprobs(options),
            // Without a seed the answer may be any; with one it is always the same.
            Seed = options?.Seed is long seed ? unchecked((ulong)seed) : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
        };
    }

    private static (float Penalty, int LastN) Repetition(ChatOptions? options, RecommendedSampling recommended)
    {
        float? everywhere = Penalty(options, ChatProperties.RepetitionPenalty);
        float? nearby = Penalty(options, ChatProperties.RepeatPenalty);
        if (everywhere is not null && nearby is not null && everywhere != nearby)
        {
            throw new InvalidChatRequestException(
                ChatProperties.RepeatPenalty, "repeat_penalty and repetition_penalty are two names of one parameter and differ; send one of them.", "invalid_value");
        }

        int? lastN = Number(options, ChatProperties.RepeatLastN) switch
        {
            null => null,
            >= -1 and <= int.MaxValue and double number when number == Math.Floor(number) => (int)number,
            _ => throw Wrong(ChatProperties.RepeatLastN, "-1 (all tokens), 0 (none) or a whole number above"),
        };
        int otherwise = everywhere is not null ? -1 : nearby is not null ? DefaultRepeatLastN : recommended.RepeatLastN ?? -1;
        return (everywhere ?? nearby ?? recommended.RepetitionPenalty ?? 1, lastN ?? otherwise);
    }

    private static float? Penalty(ChatOptions? options, string name) =>
        In(Number(options, name), value => value is > 0 and <= MaxRepetitionPenalty, name, $"above 0 and at most {MaxRepetitionPenalty:0}");

    private static ImmutableArray<LogitBias> Biases(ChatOptions? options, int vocabulary)
    {
        object? value = Find(options, ChatProperties.LogitBias);
        if (value is null)
        {
            return [];
        }

        if (value is not IReadOnlyDictionary<int, float> biases)
        {
            throw Wrong(ChatProperties.LogitBias, "a map of token ids to numbers");
        }

        if (biases.Count > SessionBounds.MaxLogitBiases)
        {
            throw Wrong(ChatProperties.LogitBias, $"at most {SessionBounds.MaxLogitBiases} tokens; these are {biases.Count}");
        }

        foreach ((int token, float bias) in biases)
        {
            if ((uint)token >= (uint)vocabulary)
            {
                throw Wrong(ChatProperties.LogitBias, $"made of the model's token ids, 0 to {vocabulary - 1}; {token} is none");
            }

            if (!(Math.Abs(bias) <= MaxLogitBias))
            {
                throw Wrong(ChatProperties.LogitBias, $"between -100 and 100; that of token {token} is not");
            }
        }

        // In the order of ids, so that one request is one set of bytes on the wire.
        return [.. biases.OrderBy(bias => bias.Key).Select(bias => new LogitBias(bias.Key, bias.Value))];
    }

    private static int? Logprobs(ChatOptions? options)
    {
        bool wanted = Find(options, ChatProperties.Logprobs) switch
        {
            null => false,
            bool value => value,
            JsonElement { ValueKind: JsonValueKind.True } => true,
            JsonElement { ValueKind: JsonValueKind.False } => false,
            _ => throw Wrong(ChatProperties.Logprobs, "true or false"),
        };
        int? top = Number(options, ChatProperties.TopLogprobs) switch
        {
            null => null,
            >= 0 and <= SamplingParameters.MaxTopLogprobs and double number when number == Math.Floor(number) => (int)number,
            _ => throw Wrong(ChatProperties.TopLogprobs, $"a whole number from 0 to {SamplingParameters.MaxTopLogprobs}"),
        };
        return wanted ? top ?? 0
            : top is null or 0 ? null
            : throw new InvalidChatRequestException(ChatProperties.TopLogprobs, "top_logprobs is only allowed when logprobs is true.", "invalid_value");
    }

    private static object? Find(ChatOptions? options, string name)
    {
        object? value = null;
        _ = options?.AdditionalProperties?.TryGetValue(name, out value);
        return value;
    }

    // Whatever kind of number a program put there.
    private static double? Number(ChatOptions? options, string name) => Find(options, name) switch
    {
        null => null,
        double value => value,
        float value => value,
        int value => value,
        long value => value,
        decimal value => (double)value,
        JsonElement { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out double number) => number,
        _ => throw Wrong(name, "a number"),
    };

    private static float? In(double? value, Func<float, bool> holds, string name, string range) =>
        value is not double number ? null : holds((float)number) ? (float)number : throw Wrong(name, range);

    private static InvalidChatRequestException Wrong(string name, string range) => new(name, $"{name} must be {range}.", "invalid_value");
}
