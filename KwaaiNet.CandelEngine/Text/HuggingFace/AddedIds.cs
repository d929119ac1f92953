using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>What a <c>post_processor</c> puts before the ids of a single text. What it puts behind is for training and is not put.</summary>
internal static class AddedIds
{
    private const string Known = "Sequence, TemplateProcessing with one token in front, ByteLevel, RobertaProcessing and BertProcessing";

    /// <summary>The token in front, or null.</summary>
    /// <exception cref="ModelFormatException">There are several, or the part is not known.</exception>
    public static int? Before(TokenizerJson file)
    {
        List<string> tokens = [];
        if (file.PostProcessor is { } part)
            Add(file, part, tokens);
        if (tokens.Count > 1)
            throw file.NotKnown("post_processor", string.Join(' ', tokens), Known);
        if (tokens.Count == 0)
            return null;
        int id = Array.IndexOf(file.Texts, tokens[0]);
        return id >= 0 ? id : throw file.Problem($"the post_processor adds '{tokens[0]}', which is no token");
    }

    private static void Add(TokenizerJson file, JsonElement part, List<string> tokens)
    {
        JsonPart json = new(file, "post_processor", part);
        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonElement step in json.Array("processors"))
                    Add(file, step, tokens);
                break;
            case "TemplateProcessing":
                // [ { "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } } ]
                foreach (JsonElement piece in json.Array("single"))
                {
                    if (piece.ValueKind != JsonValueKind.Object || !piece.TryGetProperty("SpecialToken", out JsonElement token))
                        break;
                    tokens.Add(new JsonPart(file, "post_processor's token", token).String("id"));
                }

                break;
            case "RobertaProcessing" or "BertProcessing":
                // "cls": ["<s>", 0]
                JsonElement.ArrayEnumerator cls = json.Array("cls");
                if (!cls.MoveNext() || cls.Current.ValueKind != JsonValueKind.String)
                    throw file.Problem("a post_processor's 'cls' is no token");
                tokens.Add(cls.Current.GetString()!);
                break;
            case "ByteLevel":
                break;
            default:
                throw file.NotKnown("post_processor", json.Type, Known);
        }
    }
}
