using System.Globalization;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

// In a GGUF file's metadata:
//   tokenizer.ggml.tokens        string[]   the text of each token, id by id
//   tokenizer.ggml.token_type    int32[]    TokenKind of each; absent: all Normal
//   tokenizer.ggml.scores        float32[]  SentencePiece only: higher merges first
//   tokenizer.ggml.merges        string[]   byte-level BPE only: "left right", the first merges first
//   tokenizer.ggml.{bos,eos,eot,eom,unknown,cls}_token_id, add_bos_token, add_space_prefix, remove_extra_whitespaces, model, pre
//   tokenizer.ggml.precompiled_charsmap  uint8[]   unigram only: SentencePiece's normaliser

/// <summary>The tokens of a model and what is said about them, checked for consistency.</summary>
internal sealed class Vocabulary
{
    private const string Prefix = "tokenizer.ggml.";
    // Four times the largest vocabulary and twice the longest list of merges known: a file that says more is after the memory.
    private const int MaximumTokens = 1 << 20;
    private const int MaximumMerges = 1 << 20;

    private readonly GgufMetadata _metadata;

    private Vocabulary(GgufMetadata metadata, string[] texts, TokenKind[] kinds)
    {
        _metadata = metadata;
        Texts = texts;
        Kinds = kinds;
        Ids = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (int id = 0; id < texts.Length; id++)
            Ids[texts[id]] = id;
        // SentencePiece's own numbers, and BERT's, hold for files that do not say.
        string? model = metadata.GetString(Prefix + "model");
        BosId = ReadId("bos_token_id") ?? ReadId("cls_token_id") ?? Default(model switch { "llama" => 1, "bert" => 101, _ => null });
        EosId = ReadId("eos_token_id") ?? Default(model switch { "llama" => 2, "t5" => 1, _ => null });
        UnknownId = ReadId("unknown_token_id") ?? Default(model switch { "llama" => 0, "t5" => 2, "bert" => 100, _ => null });
        EndOfGenerationIds = EndTokens.Find(this, ReadId("eot_token_id"), ReadId("eom_token_id"));
        foreach (int id in EndOfGenerationIds)
        {
            // Some conversions call the end of a turn user-defined, which would let a user's text contain it.
            if (kinds[id] == TokenKind.UserDefined)
                kinds[id] = TokenKind.Control;
        }

        int? Default(int? id) => id < texts.Length ? id : null;
    }

    public string[] Texts { get; }

    public TokenKind[] Kinds { get; }

    /// <summary>Id by text, of tokens of every kind; of equal texts the last.</summary>
    public Dictionary<string, int> Ids { get; }

    public int? BosId { get; }

    public int? EosId { get; }

    public int? UnknownId { get; }

    public IReadOnlySet<int> EndOfGenerationIds { get; }

    /// <summary>Reads and checks the token list.</summary>
    /// <exception cref="Files.ModelFormatException">It is missing, or lists do not go together.</exception>
    public static Vocabulary Read(GgufMetadata metadata)
    {
        GgufArray? tokens = metadata.GetArray(Prefix + "tokens");
        if (tokens is null)
            metadata.ThrowMissing(Prefix + "tokens");
        if (tokens.Count is 0 or > MaximumTokens)
            throw metadata.Problem($"the vocabulary has {tokens.Count} tokens; it must have 1 to {MaximumTokens}.");
        string[] texts = tokens.ToStrings();
        TokenKind[] kinds = new TokenKind[texts.Length];
        Array.Fill(kinds, TokenKind.Normal);
        if (metadata.GetArray(Prefix + "token_type") is { } types)
        {
            RequireCount(metadata, types, "token_type", texts.Length);
            kinds = Array.ConvertAll(types.ToInt32s(), type => Enum.IsDefined((TokenKind)type)
                ? (TokenKind)type
                : throw metadata.Problem($"'{Prefix}token_type' has a type {type}; types are 1 to 6."));
        }

        return new Vocabulary(metadata, texts, kinds);
    }

    /// <summary>The tokens' scores.</summary>
    /// <exception cref="Files.ModelFormatException">They are missing, of another number than the tokens, or one is not a number.</exception>
    public float[] ReadScores()
    {
        GgufArray? array = _metadata.GetArray(Prefix + "scores");
        if (array is null)
            _metadata.ThrowMissing(Prefix + "scores");
        RequireCount(_metadata, array, "scores", Texts.Length);
        float[] scores = array.ToSingles();
        return Array.TrueForAll(scores, score => !float.IsNaN(score)) ? scores : throw _metadata.Problem($"a score in '{Prefix}scores' is not a number.");
    }

    /// <summary>The merges, first to last, each <c>left right</c>.</summary>
    /// <exception cref="Files.ModelFormatException">They are missing.</exception>
    public string[] ReadMerges()
    {
        GgufArray? array = _metadata.GetArray(Prefix + "merges");
        if (array is null)
            _metadata.ThrowMissing(Prefix + "merges");
        if (array.Count > MaximumMerges)
            throw _metadata.Problem($"the tokenizer has {array.Count} merges; at most {MaximumMerges} are read.");
        return array.ToStrings();
    }

    /// <summary>The normaliser of a unigram vocabulary; empty when the file has none.</summary>
    /// <exception cref="Files.ModelFormatException">It is no array of bytes.</exception>
    public byte[] ReadCharacterMap() => _metadata.GetArray(Prefix + "precompiled_charsmap")?.ToBytes() ?? [];

    /// <summary>A text elsewhere in the file's metadata; null when it is not there.</summary>
    public string? ReadText(string key) => _metadata.GetString(key);

    public bool? ReadFlag(string key) => _metadata.GetBool(Prefix + key);

    public Files.ModelFormatException Problem(string problem) => _metadata.Problem(problem);

    /// <summary>Whether the token takes part in tokenizing ordinary text.</summary>
    public bool IsOrdinary(int id) => Kinds[id] is TokenKind.Normal or TokenKind.UserDefined;

    /// <summary>The byte that a byte token such as <c>&lt;0x0A&gt;</c> stands for.</summary>
    public static bool TryParseByte(string text, out byte value)
    {
        value = 0;
        return text is ['<', '0', 'x', _, _, '>'] && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static void RequireCount(GgufMetadata metadata, GgufArray array, string key, int count)
    {
        if (array.Count != count)
            throw metadata.Problem($"'{Prefix}{key}' has {array.Count} elements for {count} tokens. The file was written wrongly: take another conversion of the model.");
    }

    private int? ReadId(string key)
    {
        int? id = _metadata.GetInt32(Prefix + key);
        return id is null || id < Texts.Length ? id : throw _metadata.Problem($"'{Prefix}{key}' is {id}, beyond the {Texts.Length} tokens.");
    }
}
