using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KwaaiNet.CandelEngine.Text.Tokenization;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Small <c>tokenizer.json</c> files, with every kind of part.</summary>
internal static partial class TokenizerJsonSeeds
{
    private const string Llama3 = """{ "type": "Sequence", "pretokenizers": [ { "type": "Split", "pattern": { "Regex": "(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" }, "behavior": "Isolated", "invert": false }, { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false } ] }""";

    private static readonly string[] s_splitters =
    [
        """{ "type": "ByteLevel", "add_prefix_space": true, "use_regex": true }""",
        """{ "type": "Sequence", "pretokenizers": [ { "type": "Digits", "individual_digits": true }, { "type": "Punctuation", "behavior": "Contiguous" }, { "type": "ByteLevel", "use_regex": false } ] }""",
        """{ "type": "Sequence", "pretokenizers": [ { "type": "Whitespace" }, { "type": "WhitespaceSplit" }, { "type": "CharDelimiterSplit", "delimiter": "-" }, { "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": true } ] }""",
        """{ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true }""",
        "null",
    ];

    private static readonly string[] s_normalizers =
    [
        "null",
        """{ "type": "Sequence", "normalizers": [ { "type": "Prepend", "prepend": "▁" }, { "type": "Replace", "pattern": { "String": " " }, "content": "▁" } ] }""",
        """{ "type": "Sequence", "normalizers": [ { "type": "NFKC" }, { "type": "Replace", "pattern": { "Regex": " {2,}" }, "content": " " } ] }""",
    ];

    private static readonly string[] s_decoders =
    [
        """{ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true }""",
        """{ "type": "Sequence", "decoders": [ { "type": "Replace", "pattern": { "String": "▁" }, "content": " " }, { "type": "ByteFallback" }, { "type": "Fuse" }, { "type": "Strip", "content": " ", "start": 1, "stop": 0 } ] }""",
        """{ "type": "Metaspace", "replacement": "▁", "add_prefix_space": true }""",
    ];

    private const string Processor = """{ "type": "Sequence", "processors": [ { "type": "ByteLevel" }, { "type": "TemplateProcessing", "single": [ { "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } } ], "pair": [], "special_tokens": { "<s>": { "id": "<s>", "ids": [300], "tokens": ["<s>"] } } } ] }""";

    public static IReadOnlyList<FuzzSeed> All() =>
    [
        .. s_splitters.Select((splitter, i) => FuzzSeed.Text($"splitter {i}", Build(splitter, s_normalizers[i % 3], s_decoders[i % 3], i % 2 == 0, pairs: i > 2))),
        FuzzSeed.Text("Unigram", Unigram()),
        // An expression is compiled to code each time: as often as the others, it would take hours.
        FuzzSeed.Text("an expression", Build(Llama3, "null", s_decoders[0], bytes: true, pairs: false)) with { IsHeavy = true },
        FuzzSeed.Text("an expression that runs away", Build(Llama3.Replace("(?i:", "(?:(?:a+)+)+$|(?i:", StringComparison.Ordinal), "null", s_decoders[0], bytes: true, pairs: false)) with { IsHeavy = true },
    ];

    public static IReadOnlyList<byte[]> Words()
    {
        string all = string.Join(' ', [Build(Llama3, "null", "null", bytes: false, pairs: false), Processor, Unigram(), .. s_splitters, .. s_normalizers, .. s_decoders]);
        return JsonSeeds.Words([.. Quoted().Matches(all).Select(match => match.Groups[1].Value).Where(word => word.Length > 3).Distinct(), "NFC", "NFD", "NFKD", "Removed", "MergedWithNext", "always", "never"]);
    }

    private static string Build(string splitter, string normalizer, string decoder, bool bytes, bool pairs)
    {
        string[] merges = ["h e", "l l", "he ll", "hell o", "1 2", "a a"];
        IEnumerable<string> alphabet = bytes
            ? Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToCharacter((byte)value).ToString())
            : Enumerable.Range(32, 95).Select(value => ((char)value).ToString()).Concat(["▁", "<0x0A>", "<0xC3>", "\ud83d\ude00"]);
        JsonObject vocabulary = [];
        foreach (string token in alphabet.Concat(merges.Select(merge => merge.Replace(" ", ""))))
            vocabulary[token] = vocabulary.Count;
        JsonArray listed = [.. merges.Select(merge => pairs ? (JsonNode)new JsonArray([.. merge.Split(' ').Select(symbol => (JsonNode)symbol)]) : merge)];
        return $$"""
            { "version": "1.0", "truncation": null, "added_tokens": {{Added()}}, "normalizer": {{normalizer}}, "pre_tokenizer": {{splitter}}, "post_processor": {{Processor}}, "decoder": {{decoder}},
              "model": { "type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": {{vocabulary.ToJsonString()}}, "merges": {{listed.ToJsonString()}} } }
            """;
    }

    private static string Unigram() => $$"""
        { "added_tokens": {{Added()}}, "normalizer": null, "pre_tokenizer": {{s_splitters[3]}}, "post_processor": null, "decoder": {{s_decoders[2]}},
          "model": { "type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["<unk>", 0.0], ["▁", -1.5], ["a", -2.0], ["▁hello", -3.25], ["lo", -4.0]] } }
        """;

    private static string Added() => """
        [ { "id": 300, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true },
          { "id": 301, "content": "<unk>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": true, "special": true },
          { "id": 302, "content": "<|im_end|>", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false } ]
        """;

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
