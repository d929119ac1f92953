using System.Text.Json;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>One message of a conversation, as a chat template sees it.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">The text.</param>
public sealed record ChatTurn(string Role, string Content)
{
    /// <summary>
    /// What else the message has, a JSON object in OpenAI's form: <c>tool_calls</c>, <c>tool_call_id</c>, <c>name</c>, <c>reasoning_content</c>.
    /// A <c>content</c> here, which may be a list of parts or null, takes the place of <see cref="Content"/>.
    /// Arguments of tool calls may be objects or, as on OpenAI's wire, strings of JSON.
    /// </summary>
    public JsonElement? Fields { get; init; }
}
