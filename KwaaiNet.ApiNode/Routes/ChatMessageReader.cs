using System.Text.Json;
using KwaaiNet.ApiNode.Failures;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads <c>messages</c>.</summary>
internal static class ChatMessageReader
{
    private static readonly string[] s_roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>Reads the conversation.</summary>
    /// <exception cref="InvalidChatRequestException">A message is wrong; the field is named.</exception>
    public static IReadOnlyList<ChatMessage> Read(JsonElement? value)
    {
        if (value is not { } array)
        {
            throw new InvalidChatRequestException("messages", "Missing required parameter: 'messages'.", "missing_required_parameter");
        }

        if (array.ValueKind != JsonValueKind.Array)
        {
            throw RequestJson.WrongType("messages", "an array of messages", array);
        }

        List<ChatMessage> messages = new(array.GetArrayLength());
        foreach (JsonElement element in array.EnumerateArray())
        {
            messages.Add(ReadMessage(RequestJson.From(element, $"messages[{messages.Count}]")));
        }

        return messages.Count > 0
            ? messages
            : throw new InvalidChatRequestException("messages", "Invalid 'messages': the array is empty; at least one message is needed.", "empty_array");
    }

    private static ChatMessage ReadMessage(RequestJson json)
    {
        string role = json.String("role")
            ?? throw new InvalidChatRequestException(json.Path("role"), $"Missing required parameter: '{json.Path("role")}'.", "missing_required_parameter");
        if (!s_roles.Contains(role))
        {
            string shown = role.Length > 40 ? $"{role[..40]}…" : role;
            throw new InvalidChatRequestException(
                json.Path("role"), $"Invalid '{json.Path("role")}': '{shown}' is not one of {string.Join(", ", s_roles)}.", "invalid_value");
        }

        if (json.Find("tool_calls") is { } calls && (calls.ValueKind != JsonValueKind.Array || calls.GetArrayLength() > 0))
        {
            throw new InvalidChatRequestException(
                json.Path("tool_calls"), "Tool calls are not supported; leave them out.", InvalidChatRequestException.Unsupported);
        }

        if (role == "tool" && string.IsNullOrEmpty(json.String("tool_call_id")))
        {
            throw new InvalidChatRequestException(
                json.Path("tool_call_id"), $"Missing required parameter: '{json.Path("tool_call_id")}'; a message of role 'tool' answers a call.", "missing_required_parameter");
        }

        string path = json.Path("content");
        return json.Find("content") switch
        {
            { ValueKind: JsonValueKind.String } text => new ChatMessage(new ChatRole(role), RequestJson.ReadString(text, path)),
            { ValueKind: JsonValueKind.Array } parts => new ChatMessage(new ChatRole(role), ReadParts(parts, path)),
            { } other => throw RequestJson.WrongType(path, "a string or an array of content parts", other),
            // An assistant that only called tools, or refused, said nothing.
            null when role == "assistant" => new ChatMessage(ChatRole.Assistant, ""),
            null => throw new InvalidChatRequestException(path, $"Missing required parameter: '{path}'.", "missing_required_parameter"),
        };
    }

    private static List<AIContent> ReadParts(JsonElement parts, string path)
    {
        List<AIContent> contents = new(parts.GetArrayLength());
        foreach (JsonElement part in parts.EnumerateArray())
        {
            RequestJson json = RequestJson.From(part, $"{path}[{contents.Count}]");
            string type = json.String("type")
                ?? throw new InvalidChatRequestException(json.Path("type"), $"Missing required parameter: '{json.Path("type")}'.", "missing_required_parameter");
            if (type != "text")
            {
                string shown = type.Length > 40 ? $"{type[..40]}…" : type;
                throw new InvalidChatRequestException(
                    json.Path("type"), $"Invalid '{json.Path("type")}': '{shown}' is not supported; only 'text' is.", InvalidChatRequestException.Unsupported);
            }

            contents.Add(new TextContent(json.String("text")
                ?? throw new InvalidChatRequestException(json.Path("text"), $"Missing required parameter: '{json.Path("text")}'.", "missing_required_parameter")));
        }

        return contents.Count > 0
            ? contents
            : throw new InvalidChatRequestException(path, $"Invalid '{path}': the array is empty; at least one part is needed.", "empty_array");
    }
}
