using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Reads a <c>tokenizer.json</c> from a mapped file: only what is kept is allocated.</summary>
internal ref struct TokenizerJsonReader
{
    // Four times the largest vocabulary and twice the longest list of merges known: a file that says more is after the memory.
    private const int MaximumTokens = 1 << 20;
    private const int MaximumMerges = 1 << 20;
    private const long MaximumFile = 1L << 28;

    // Ids without a token: some lists of added tokens begin at a round number.
    private const int MaximumGap = 1 << 14;

    private readonly TokenizerJson _result;
    private Utf8JsonReader _json;
    private Utf8JsonReader _merges;
    private bool _hasMerges;
    private string? _unknown;
    private readonly List<(string Text, double Score)> _pieces = [];

    private TokenizerJsonReader(string path, ReadOnlySpan<byte> json)
    {
        _result = new TokenizerJson { Path = path };
        _json = new Utf8JsonReader(json);
    }

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is not a tokenizer, or contradicts itself.</exception>
    public static unsafe TokenizerJson Read(string path)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no tokenizer file {path}.", path);
        using FileStream stream = RegularFile.OpenRead(path);
        if (stream.Length > MaximumFile)
            throw new ModelFormatException($"{path}: the file has {stream.Length} bytes; a tokenizer has 1 to {MaximumFile}. Download it again.");
        using GgufMapping mapping = GgufMapping.Open(stream);
        return Read(path, new ReadOnlySpan<byte>(mapping.Start, (int)mapping.Length));
    }

    /// <exception cref="ModelFormatException">It is not a tokenizer, or contradicts itself.</exception>
    public static TokenizerJson Read(string path, ReadOnlySpan<byte> bytes)
    {
        TokenizerJsonReader reader = new(path, bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes);
        try
        {
            reader.ReadAll();
            return reader._result;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // The reader says InvalidOperationException of a string that is not UTF-8 and of a value of another kind, FormatException of a number out of range.
            throw new ModelFormatException($"{path}: not the JSON of a tokenizer: {e.Message} The file is damaged: download it again.", e);
        }
    }

    private void ReadAll()
    {
        Expect(JsonTokenType.StartObject, "the file");
        while (ReadProperty(out string name))
        {
            switch (name)
            {
                case "added_tokens": ReadAddedTokens(); break;
                case "normalizer": _result.Normalizer = ReadPart(); break;
                case "pre_tokenizer": _result.PreTokenizer = ReadPart(); break;
                case "post_processor": _result.PostProcessor = ReadPart(); break;
                case "decoder": _result.Decoder = ReadPart(); break;
                case "model": ReadModel(); break;
                default: _json.Skip(); break;
            }
        }

        while (_json.Read())
        {
        }

        PlaceTokens();
        ReadMerges();
        if (_unknown is { } text)
        {
            _result.UnknownId = _result.Ids.TryGetValue(text, out int id) ? id
                : _result.Added.Find(token => token.Content == text)?.Id ?? throw _result.Problem($"the unknown token '{text}' is no token");
        }

        if (_result.UnknownId is int unknown && (unknown < 0 || unknown >= _result.Texts.Length))
            throw _result.Problem($"the unknown token's id {unknown} is no token's");
    }

    private void ReadAddedTokens()
    {
        RequireToken(JsonTokenType.StartArray, "'added_tokens'");
        while (_json.Read() && _json.TokenType == JsonTokenType.StartObject)
        {
            int? id = null;
            string? content = null;
            bool word = false, left = false, right = false, special = false;
            bool? normalized = null;
            while (ReadProperty(out string name))
            {
                switch (name)
                {
                    case "id": id = _json.GetInt32(); break;
                    case "content": content = _json.GetString(); break;
                    case "single_word": word = _json.GetBoolean(); break;
                    case "lstrip": left = _json.GetBoolean(); break;
                    case "rstrip": right = _json.GetBoolean(); break;
                    case "normalized": normalized = _json.GetBoolean(); break;
                    case "special": special = _json.GetBoolean(); break;
                    default: _json.Skip(); break;
                }
            }

            if (id is null or < 0 || string.IsNullOrEmpty(content))
                throw _result.Problem("an added token has no id or no content");
            if (_result.Added.Count == MaximumTokens)
                throw _result.Problem($"there are more than {MaximumTokens} added tokens");
            _result.Added.Add(new AddedToken(id.Value, content, word, left, right, normalized ?? !special, special));
        }

        if (_json.TokenType != JsonTokenType.EndArray)
            throw _result.Problem("an entry of 'added_tokens' is no object");
    }

    private void ReadModel()
    {
        RequireToken(JsonTokenType.StartObject, "'model'");
        while (ReadProperty(out string name))
        {
            switch (name)
            {
                case "type": _result.ModelType = _json.GetString() ?? ""; break;
                case "unk_token": _unknown = _json.GetString(); break;
                case "unk_id": _result.UnknownId = _json.TokenType == JsonTokenType.Null ? null : _json.GetInt32(); break;
                case "fuse_unk": _result.FuseUnknown = _json.GetBoolean(); break;
                case "byte_fallback": _result.ByteFallback = _json.GetBoolean(); break;
                case "ignore_merges": _result.IgnoreMerges = _json.GetBoolean(); break;
                case "continuing_subword_prefix" or "end_of_word_suffix" when _json.TokenType == JsonTokenType.String && _json.GetString() is { Length: > 0 } affix:
                    throw _result.NotKnown($"model's {name}", affix, "words without");
                case "vocab" when _json.TokenType == JsonTokenType.StartObject: ReadVocabulary(); break;
                case "vocab": ReadPieces(); break;
                case "merges":
                    RequireToken(JsonTokenType.StartArray, "'merges'");
                    // Which tokens they join is known when the vocabulary and the added tokens are, wherever these stand.
                    _merges = _json;
                    _hasMerges = true;
                    _json.Skip();
                    break;
                default: _json.Skip(); break;
            }
        }
    }

    private readonly void ReadVocabularyEntry(string text, int id)
    {
        if (_result.Ids.Count == MaximumTokens)
            throw _result.Problem($"the vocabulary has more than {MaximumTokens} tokens");
        if (id is < 0 or >= 2 * MaximumTokens)
            throw _result.Problem($"the token '{text}' has the id {id}");
        if (!_result.Ids.TryAdd(text, id))
            throw _result.Problem($"the token '{text}' is there twice");
    }

    private void ReadVocabulary()
    {
        while (ReadProperty(out string text))
            ReadVocabularyEntry(text, _json.GetInt32());
    }

    private void ReadPieces()
    {
        RequireToken(JsonTokenType.StartArray, "'vocab'");
        while (_json.Read() && _json.TokenType == JsonTokenType.StartArray)
        {
            Expect(JsonTokenType.String, "a token of 'vocab'");
            string text = _json.GetString()!;
            Expect(JsonTokenType.Number, "a score of 'vocab'");
            double score = _json.GetDouble();
            if (!double.IsFinite(score) || _pieces.Count == MaximumTokens)
                throw _result.Problem(double.IsFinite(score) ? $"the vocabulary has more than {MaximumTokens} tokens" : $"the score of '{text}' is no number");
            _pieces.Add((text, score));
            Expect(JsonTokenType.EndArray, "an entry of 'vocab'");
        }

        RequireToken(JsonTokenType.EndArray, "'vocab'");
    }

    /// <summary>Puts every token at its id.</summary>
    private void PlaceTokens()
    {
        for (int id = 0; id < _pieces.Count; id++)
            _result.Ids[_pieces[id].Text] = id;
        _result.Scores = [.. _pieces.Select(piece => piece.Score)];
        int highest = _pieces.Count - 1;
        foreach (int id in _result.Ids.Values)
            highest = Math.Max(highest, id);
        foreach (AddedToken token in _result.Added)
            highest = Math.Max(highest, token.Id);
        int known = Math.Max(_result.Ids.Count, _pieces.Count) + _result.Added.Count;
        if (known == 0)
            throw _result.Problem("there is no token in it");
        if (highest >= known + MaximumGap)
            throw _result.Problem($"{known} tokens have ids up to {highest}");

        string[] texts = new string[highest + 1];
        for (int id = 0; id < _pieces.Count; id++)
            texts[id] = _pieces[id].Text;
        foreach ((string text, int id) in _result.Ids)
        {
            if (_pieces.Count == 0 && texts[id] is { } other)
                throw _result.Problem($"the tokens '{other}' and '{text}' have one id, {id}");
            texts[id] ??= text;
        }

        // Where both lists have an id, the added token is what a text is searched for.
        foreach (AddedToken token in _result.Added)
            texts[token.Id] = token.Content;
        for (int id = 0; id < texts.Length; id++)
            texts[id] ??= "";
        _result.Texts = texts;
    }

    private void ReadMerges()
    {
        if (!_hasMerges)
            return;
        _json = _merges;
        char[] pair = new char[256];
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = _result.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int rank = 0; _json.Read() && _json.TokenType != JsonTokenType.EndArray; rank++)
        {
            if (rank == MaximumMerges)
                throw _result.Problem($"there are more than {MaximumMerges} merges");
            (int leftLength, int length) = ReadPair(rank, ref pair);
            if (length < 0)
                continue;
            ReadOnlySpan<char> both = pair.AsSpan(0, length);
            if (!ids.TryGetValue(both[..leftLength], out int left) || !ids.TryGetValue(both[leftLength..], out int right) || !ids.TryGetValue(both, out int merged))
                throw _result.Problem($"merge {rank} joins '{both[..leftLength]}' and '{both[leftLength..]}', which with what they make are not all tokens");
            _result.Merges[TokenizerJson.Pair(left, right)] = (rank, merged);
        }
    }

    /// <summary>Reads a merge as the text of both symbols, end to end; a length below 0 for a comment.</summary>
    private (int LeftLength, int Length) ReadPair(int rank, ref char[] pair)
    {
        if (_json.TokenType == JsonTokenType.String)
        {
            int length = CopyString(ref pair, 0);
            ReadOnlySpan<char> line = pair.AsSpan(0, length);
            if (rank == 0 && line.StartsWith("#version"))
                return (0, -1);
            int space = line.IndexOf(' ');
            if (space <= 0 || space == length - 1 || line[(space + 1)..].Contains(' '))
                throw _result.Problem($"merge {rank} is '{line}', which is not two symbols with a space between");
            line[(space + 1)..].CopyTo(pair.AsSpan(space));
            return (space, length - 1);
        }

        RequireToken(JsonTokenType.StartArray, $"merge {rank}");
        Expect(JsonTokenType.String, $"merge {rank}");
        int left = CopyString(ref pair, 0);
        Expect(JsonTokenType.String, $"merge {rank}");
        int total = CopyString(ref pair, left);
        Expect(JsonTokenType.EndArray, $"merge {rank}");
        return (left, total);
    }

    private readonly int CopyString(ref char[] buffer, int at)
    {
        if (buffer.Length - at < _json.ValueSpan.Length)
            Array.Resize(ref buffer, (at + _json.ValueSpan.Length) * 2);
        return at + _json.CopyString(buffer.AsSpan(at));
    }

    private JsonElement? ReadPart()
    {
        if (_json.TokenType == JsonTokenType.Null)
            return null;
        RequireToken(JsonTokenType.StartObject, "a part of the tokenizer");
        using JsonDocument document = JsonDocument.ParseValue(ref _json);
        JsonText.RequireReadable(document.RootElement);
        return document.RootElement.Clone();
    }

    /// <summary>Moves to the next property's value; false at the object's end.</summary>
    private bool ReadProperty(out string name)
    {
        _json.Read();
        name = "";
        if (_json.TokenType != JsonTokenType.PropertyName)
            return false;
        name = _json.GetString()!;
        _json.Read();
        return true;
    }

    private void Expect(JsonTokenType type, string part)
    {
        _json.Read();
        RequireToken(type, part);
    }

    private readonly void RequireToken(JsonTokenType type, string part)
    {
        if (_json.TokenType != type)
            throw _result.Problem($"{part} is {_json.TokenType}, and {type} belongs there");
    }
}
