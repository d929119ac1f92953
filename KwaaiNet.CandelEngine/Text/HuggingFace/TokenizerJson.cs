using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

// tokenizer.json, as Hugging Face's tokenizers library writes it (tokenizers/src/tokenizer/serialization.rs):
//
//   { "version": "1.0", "truncation": null, "padding": null,
//     "added_tokens": [ { "id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true }, … ],
//     "normalizer": null | { "type": … },      "pre_tokenizer": null | { "type": … },
//     "post_processor": null | { "type": … },  "decoder": null | { "type": … },
//     "model": { "type": "BPE", "unk_token": null | "<unk>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "dropout": null,
//                "continuing_subword_prefix": null, "end_of_word_suffix": null, "vocab": { "token": id, … }, "merges": [ "a b" | ["a", "b"], … ] }
//            | { "type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [ ["token", score], … ] } }

/// <summary>What a <c>tokenizer.json</c> says, checked as far as its parts go together.</summary>
internal sealed class TokenizerJson
{
    /// <summary>The full path, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>Tokens matched before splitting.</summary>
    public List<AddedToken> Added { get; } = [];

    /// <summary>How text is normalized; null for not at all.</summary>
    public JsonElement? Normalizer { get; set; }

    /// <summary>How text is split into words; null for not at all.</summary>
    public JsonElement? PreTokenizer { get; set; }

    /// <summary>What is put around the ids of a text.</summary>
    public JsonElement? PostProcessor { get; set; }

    /// <summary>How tokens become text again.</summary>
    public JsonElement? Decoder { get; set; }

    /// <summary><c>BPE</c> or <c>Unigram</c>.</summary>
    public string ModelType { get; set; } = "";

    /// <summary>Text of each token of the model and of the added ones, by id; empty where no token is.</summary>
    public string[] Texts { get; set; } = [];

    /// <summary>Id by text, of the model's own tokens.</summary>
    public Dictionary<string, int> Ids { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Unigram only: the logarithm of each token's probability, by id.</summary>
    public double[] Scores { get; set; } = [];

    /// <summary>BPE only: the pair of ids (left high, right low) that merge, their rank and the id they become.</summary>
    public Dictionary<ulong, (int Rank, int Id)> Merges { get; set; } = [];

    /// <summary>The token for what no other spells; null when such text vanishes.</summary>
    public int? UnknownId { get; set; }

    /// <summary>Neighbouring unknown characters become one unknown token.</summary>
    public bool FuseUnknown { get; set; }

    /// <summary>A character that no token spells becomes the tokens <c>&lt;0xXX&gt;</c> of its bytes.</summary>
    public bool ByteFallback { get; set; }

    /// <summary>A word that is a token is taken as it stands, whatever the merges say.</summary>
    public bool IgnoreMerges { get; set; }

    /// <summary>A pair of ids as one key.</summary>
    public static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <summary>The exception for something the file says that cannot be.</summary>
    public ModelFormatException Problem(string problem) => new($"{Path}: {problem}.");

    /// <summary>The exception for a part that is not run.</summary>
    public ModelFormatException NotKnown(string part, string? value, string known) =>
        Problem($"the {part} is '{value}', which this engine does not know; it knows {known}. Take a model with a tokenizer it knows, or a GGUF conversion of this one");
}
