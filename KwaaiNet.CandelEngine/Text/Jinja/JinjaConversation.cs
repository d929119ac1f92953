using System.Text.Json;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Makes the template language's values of a conversation. All text is marked as somebody's words.</summary>
/// <param name="argumentsAsText">Whether the arguments of tool calls are strings of JSON rather than objects.</param>
internal sealed class JinjaConversation(bool argumentsAsText)
{
    /// <summary>Whether there were arguments to give one way or the other.</summary>
    public bool HasArguments { get; private set; }

    /// <summary>The messages of a conversation.</summary>
    public JinjaList Messages(IReadOnlyList<ChatTurn> turns) => new([.. turns.Select(Message)]);

    /// <summary>JSON as a value.</summary>
    public static object? ToValue(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                JinjaMap map = new();
                foreach (JsonProperty property in element.EnumerateObject())
                    map.Set(JinjaText.FromUser(Read(() => property.Name)), ToValue(property.Value));
                return map;
            case JsonValueKind.Array:
                return new JinjaList([.. element.EnumerateArray().Select(ToValue)]);
            case JsonValueKind.String:
                return JinjaText.FromUser(Read(() => element.GetString()!));
            case JsonValueKind.Number:
                return element.TryGetInt64(out long integer) && !element.GetRawText().AsSpan().ContainsAny(".eE") ? integer : (object)element.GetDouble();
            default:
                return element.ValueKind is JsonValueKind.True or JsonValueKind.False ? element.GetBoolean() : null;
        }
    }

    // "\ud800" is JSON, and no text.
    private static string Read(Func<string> text)
    {
        try
        {
            return text();
        }
        catch (InvalidOperationException)
        {
            throw new ChatTemplateException("The conversation has a string that ends in half a character.");
        }
    }

    private JinjaMap Message(ChatTurn turn)
    {
        JinjaMap message = new();
        message.Set(JinjaText.Trusted("role"), JinjaText.FromUser(turn.Role));
        message.Set(JinjaText.Trusted("content"), JinjaText.FromUser(turn.Content));
        if (turn.Fields is not { ValueKind: JsonValueKind.Object } fields)
            return message;
        foreach (JsonProperty field in fields.EnumerateObject())
        {
            string name = Read(() => field.Name);
            if (name != "role")
                message.Set(JinjaText.FromUser(name), name == "tool_calls" ? ToolCalls(field.Value) : ToValue(field.Value));
        }

        return message;
    }

    private object? ToolCalls(JsonElement calls)
    {
        object? value = ToValue(calls);
        foreach (JinjaMap call in (value as JinjaList)?.Items.OfType<JinjaMap>() ?? [])
        {
            JinjaMap function = call.TryGet("function", out object? inner) && inner is JinjaMap map ? map : call;
            if (!function.TryGet("arguments", out object? arguments) || arguments is not (JinjaText or JinjaMap))
                continue;
            HasArguments = true;
            function.Set(JinjaText.Trusted("arguments"), argumentsAsText ? AsText(arguments) : AsObject(arguments));
        }

        return value;
    }

    private static object AsObject(object arguments)
    {
        if (arguments is not JinjaText text)
            return arguments;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text.Text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? ToValue(document.RootElement)! : text;
        }
        catch (Exception e) when (e is JsonException or ChatTemplateException)
        {
            // What a model called a tool with need not be JSON: the template gets it as it is.
            return text;
        }
    }

    private static object AsText(object arguments) => arguments is JinjaText
        ? arguments
        : JinjaTextFilters.ToJson(new JinjaContext([], TimeProvider.System), arguments, JinjaArguments.None);
}
