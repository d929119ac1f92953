using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>Finds what a template leaves out of a prompt: it renders once more with a mark at the end of every message's text, and looks for the marks.</summary>
internal static class DroppedTurns
{
    private const string Content = "content";

    /// <summary>Whether a message says something in text.</summary>
    public static bool HasContent(ChatTurn turn) => Texts(turn).Any(text => !string.IsNullOrWhiteSpace(text));

    /// <summary>The first message with text of which the prompt has nothing; null when there is none.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public static int? First(ChatTemplate template, IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        // Letters and digits: no filter a template uses takes them away or writes them otherwise, but for their case.
        string word = "qz";
        while (turns.Any(turn => Texts(turn).Any(text => text.Contains(word, StringComparison.OrdinalIgnoreCase)))) word += "q";

        // What a model said when it called tools may stand back behind the calls: such templates keep the message.
        int[] said = [.. Enumerable.Range(0, turns.Count).Where(i => HasContent(turns[i]) && !CallsTools(turns[i]))];
        string? marked = TryRender([.. turns.Select((turn, i) => said.Contains(i) ? Marked(turn, Mark(i)) : turn)]);
        string? plain = null;
        foreach (int i in said)
        {
            if (marked?.Contains(Mark(i), StringComparison.OrdinalIgnoreCase) == true) continue;

            // A template may cut, turn or count what it is given: it drops only what makes no difference at all.
            plain ??= template.Render(turns, options);
            if (TryRender([.. turns.Select((turn, at) => at == i ? Marked(turn, Mark(i)) : turn)]) == plain) return i;
        }

        return null;

        string Mark(int i) => string.Create(CultureInfo.InvariantCulture, $"{word}{i}{word}");

        string? TryRender(IReadOnlyList<ChatTurn> changed)
        {
            try
            {
                return template.Render(changed, options);
            }
            catch (ChatTemplateException)
            {
                // It reads what is said, and will not have the mark: then it does not drop it.
                return null;
            }
        }
    }

    private static bool CallsTools(ChatTurn turn) =>
        turn.Fields is { ValueKind: JsonValueKind.Object } fields && fields.TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind == JsonValueKind.Array && calls.GetArrayLength() > 0;

    private static IEnumerable<string> Texts(ChatTurn turn) => Replacing(turn) switch
    {
        null => [turn.Content],
        { ValueKind: JsonValueKind.String } text => [TextOf(text)],
        { ValueKind: JsonValueKind.Array } parts => parts.EnumerateArray().Select(TextOfPart),
        _ => [],
    };

    // The content among the fields, which takes the other's place.
    private static JsonElement? Replacing(ChatTurn turn) =>
        turn.Fields is { ValueKind: JsonValueKind.Object } fields && fields.TryGetProperty(Content, out JsonElement content) ? content : null;

    private static string TextOfPart(JsonElement part) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String ? TextOf(text) : "";

    private static string TextOf(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return ""; // half a character: the template says so
        }
    }

    private static ChatTurn Marked(ChatTurn turn, string mark)
    {
        if (Replacing(turn) is not { } content) return turn with { Content = turn.Content + mark };

        JsonObject fields = JsonObject.Create(turn.Fields!.Value)!;
        if (content.ValueKind == JsonValueKind.String)
        {
            fields[Content] = TextOf(content) + mark;
        }
        else
        {
            foreach (JsonNode? part in fields[Content]!.AsArray())
            {
                if (part is JsonObject text && text["text"] is JsonValue value && value.TryGetValue(out string? words)) text["text"] = words + mark;
            }
        }

        using JsonDocument document = JsonDocument.Parse(fields.ToJsonString());
        return turn with { Fields = document.RootElement.Clone() };
    }
}
