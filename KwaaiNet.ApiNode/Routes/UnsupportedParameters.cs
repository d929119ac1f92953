using System.Text.Json;
using KwaaiNet.ApiNode.Failures;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Fields that would change the answer and are not done here: their neutral value passes, any other is refused rather than ignored.</summary>
internal static class UnsupportedParameters
{
    private const string OnlyText = "only plain text can be promised; leave it out";
    private const string Variable = "send it as a variable of the model's chat template, as in \"chat_template_kwargs\":{\"enable_thinking\":false}";

    private static readonly (string Name, Func<JsonElement, bool> IsNeutral, string Remedy)[] s_fields =
    [
        ("n", value => IsNumber(value, 1), "only 1 answer a request is given; send several requests"),
        ("best_of", value => IsNumber(value, 1), "only 1 answer is made"),
        ("min_tokens", value => IsNumber(value, 0), "leave it out or set it to 0"),
        ("mirostat", value => IsNumber(value, 0), "leave it out or set it to 0"),
        ("xtc_probability", value => IsNumber(value, 0), "leave it out or set it to 0"),
        ("dry_multiplier", value => IsNumber(value, 0), "leave it out or set it to 0"),
        ("ignore_eos", value => value.ValueKind == JsonValueKind.False, "leave it out or set it to false"),
        ("stop_token_ids", IsEmpty, "leave it out; 'stop' takes text"),
        ("bad_words", IsEmpty, "leave it out; 'logit_bias' bans tokens"),
        ("allowed_token_ids", IsEmpty, "leave it out; 'logit_bias' steers tokens"),
        ("guided_json", _ => false, OnlyText),
        ("guided_regex", _ => false, OnlyText),
        ("guided_choice", _ => false, OnlyText),
        ("guided_grammar", _ => false, OnlyText),
        ("structured_outputs", _ => false, OnlyText),
        ("grammar", value => IsText(value, ""), OnlyText),
        ("json_schema", _ => false, OnlyText),
        ("chat_template", _ => false, "the model's own template is used; leave it out"),
        ("enable_thinking", _ => false, Variable),
        ("think", _ => false, Variable),
        ("thinking", _ => false, Variable),
        ("continue_final_message", value => value.ValueKind == JsonValueKind.False, "leave it out or set it to false"),
        ("add_generation_prompt", value => value.ValueKind == JsonValueKind.True, "leave it out or set it to true"),
        ("tools", IsEmpty, "tools are not supported; leave them out"),
        ("tool_choice", value => IsText(value, "none") || IsText(value, "auto"), "tools are not supported; leave it out or set it to 'none'"),
        ("functions", IsEmpty, "functions are not supported; leave them out"),
        ("function_call", value => IsText(value, "none") || IsText(value, "auto"), "functions are not supported; leave it out or set it to 'none'"),
        ("response_format", IsTextFormat, "only plain text can be promised; leave it out or send {\"type\":\"text\"}"),
        ("modalities", IsTextModality, "only text is given; leave it out or send [\"text\"]"),
        ("audio", _ => false, "only text is given; leave it out"),
        ("reasoning_effort", value => IsText(value, "none"), "reasoning cannot be steered; leave it out"),
        ("verbosity", value => IsText(value, "medium"), "verbosity cannot be steered; leave it out"),
        ("web_search_options", _ => false, "there is no web search; leave it out"),
    ];

    /// <summary>Refuses the first field that is set to more than its neutral value.</summary>
    /// <exception cref="InvalidChatRequestException">The field is named, with what to do.</exception>
    public static void Refuse(RequestJson json)
    {
        foreach ((string name, Func<JsonElement, bool> isNeutral, string remedy) in s_fields)
        {
            if (json.Find(name) is { } value && !isNeutral(value))
            {
                throw new InvalidChatRequestException(name, $"Unsupported parameter: '{name}' ({remedy}).", InvalidChatRequestException.Unsupported);
            }
        }
    }

    private static bool IsNumber(JsonElement value, double number) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double found) && found == number;

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static bool IsEmpty(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() == 0
        : value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().MoveNext();

    private static bool IsTextFormat(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out JsonElement type) && IsText(type, "text");

    private static bool IsTextModality(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && IsText(value[0], "text");
}
