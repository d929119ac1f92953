using System.Text.Json.Nodes;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Text.HuggingFace;

/// <summary>Writes the vocabulary of a GGUF as the <c>tokenizer.json</c> its model was published with: the same tokens, the steps as the tokenizers library names them.</summary>
internal static class TokenizerJsonText
{
    private const string Gpt2 = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";
    private const string Alphabet = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}""";
    private const string Digit = """{"type":"Digits","individual_digits":true}""";

    /// <summary>The expressions of published files, possessive and case-insensitive parts included.</summary>
    private static string PreTokenizerOf(string pre) => pre switch
    {
        "gpt-2" => Gpt2,
        "llama-bpe" => Sequence(Split(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), Alphabet),
        "qwen2" => Sequence(Split(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), Alphabet),
        "starcoder" => Sequence(Digit, Gpt2),
        "deepseek-coder" => Sequence(Split(@"[\r\n]"), Split(@"\s?\p{L}+"), Split(@"\s?\p{P}+"), Split("[一-龥ࠀ-一가-퟿]+"), Digit, Alphabet),
        _ => throw new ArgumentOutOfRangeException(nameof(pre), pre, null),
    };

    public static string From(GgufMetadata metadata)
    {
        bool bytes = metadata.GetString("tokenizer.ggml.model") == "gpt2";
        string[] tokens = metadata.GetArray("tokenizer.ggml.tokens")!.ToStrings();
        int[] types = metadata.GetArray("tokenizer.ggml.token_type")!.ToInt32s();
        JsonArray added = [];
        JsonObject vocabulary = [];
        for (int id = 0; id < tokens.Length; id++)
        {
            TokenKind kind = (TokenKind)types[id];
            if (kind is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown)
                added.Add(new JsonObject { ["id"] = id, ["content"] = tokens[id], ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = kind != TokenKind.UserDefined });
            else
                vocabulary[tokens[id]] = id;
        }

        JsonArray merges = bytes
            ? [.. metadata.GetArray("tokenizer.ggml.merges")!.ToStrings().Select((merge, i) => (JsonNode)merge)]
            : [.. MergesOf(tokens, types, metadata.GetArray("tokenizer.ggml.scores")!.ToSingles()).Select(pair => (JsonNode)new JsonArray(pair.Left, pair.Right))];
        JsonObject json = new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = bytes ? null : JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
            ["pre_tokenizer"] = bytes ? JsonNode.Parse(PreTokenizerOf(metadata.GetString("tokenizer.ggml.pre")!)) : null,
            ["post_processor"] = bytes ? JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}""")
                : JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}"""),
            ["decoder"] = bytes ? JsonNode.Parse(Gpt2)
                : JsonNode.Parse("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = bytes ? null : "<unk>",
                ["fuse_unk"] = !bytes,
                ["byte_fallback"] = !bytes,
                ["ignore_merges"] = metadata.GetString("tokenizer.ggml.pre") == "llama-bpe",
                ["vocab"] = vocabulary,
                ["merges"] = merges,
            },
        };
        return json.ToJsonString();
    }

    /// <summary>SentencePiece's scores as merges: a piece of a better score merges first, of two ways to make a piece that of the earlier tokens.</summary>
    private static IEnumerable<(string Left, string Right)> MergesOf(string[] tokens, int[] types, float[] scores)
    {
        Dictionary<string, int> ids = [];
        for (int id = 0; id < tokens.Length; id++)
        {
            if (types[id] is (int)TokenKind.Normal or (int)TokenKind.UserDefined)
                ids[tokens[id]] = id;
        }

        return ids
            .Where(pair => types[pair.Value] == (int)TokenKind.Normal)
            .OrderByDescending(pair => scores[pair.Value])
            .ThenBy(pair => pair.Value)
            .SelectMany(pair => Enumerable.Range(1, pair.Key.Length - 1)
                .Select(at => (Left: pair.Key[..at], Right: pair.Key[at..]))
                .Where(parts => ids.ContainsKey(parts.Left) && ids.ContainsKey(parts.Right))
                .OrderBy(parts => ids[parts.Left])
                .ThenBy(parts => ids[parts.Right]));
    }

    private static string Sequence(params IEnumerable<string> steps) => $$"""{"type":"Sequence","pretokenizers":[{{string.Join(',', steps)}}]}""";

    private static string Split(string expression) =>
        new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = expression }, ["behavior"] = "Isolated", ["invert"] = false }.ToJsonString();
}
