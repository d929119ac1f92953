using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>The tokenizer a <c>tokenizer.json</c> describes, step by step as Hugging Face's tokenizers library takes them.</summary>
/// <remarks>
/// Added tokens are cut out first, the rest is normalized, split into words, and each word spelled by the model. In two things it differs
/// from the library. Control tokens are found only where text is trusted. And they are found in the text as it is given even if the file
/// says <c>normalized</c>: the first Llama 2 and Mistral files did by mistake, which finds <c>&lt;s&gt;</c> after a space only.
/// </remarks>
internal sealed class HuggingFaceTokenizer : ITokenizer, IMarkedTextTokenizer
{
    private readonly TokenizerJson _file;
    private readonly TokenKind[] _kinds;
    private readonly AddedTokens _given;
    private readonly AddedTokens _normalized;
    private readonly TextNormalizer? _normalizer;
    private readonly IWordSplitter[] _splitters;
    private readonly ITokenModel _model;
    private readonly TokenText _texts;
    private TokenBytes? _bytes;

    private HuggingFaceTokenizer(TokenizerJson file, TokenizerNotes notes)
    {
        _file = file;
        int? before = AddedIds.Before(file);
        BosId = (notes.Bos is { Length: > 0 } bos ? Find(bos) : null) ?? before;
        AddBos = BosId is not null && (notes.AddBos ?? before is not null);
        EndOfGenerationIds = FindEnds(notes);
        _kinds = FindKinds();
        _normalizer = TextNormalizer.Create(file);
        _given = new AddedTokens(file.Added.Where(token => !token.Normalized || IsWithheld(token)).Select(token => (token.Content, token, IsWithheld(token))));
        _normalized = new AddedTokens(file.Added.Where(token => token.Normalized && !IsWithheld(token)).Select(token => (_normalizer?.Normalize(token.Content) ?? token.Content, token, false)));
        _splitters = WordSplitters.Create(file);
        _texts = new TokenText(file);
        _model = file.ModelType switch
        {
            "BPE" => new BpeModel(file, _kinds),
            // Early files do not say.
            "" when file.Merges.Count > 0 => new BpeModel(file, _kinds),
            _ => throw file.NotKnown("model", file.ModelType, "BPE"),
        };
    }

    /// <inheritdoc/>
    public int VocabularySize => _file.Texts.Length;

    /// <inheritdoc/>
    public int? BosId { get; }

    /// <inheritdoc/>
    public bool AddBos { get; }

    /// <inheritdoc/>
    public IReadOnlySet<int> EndOfGenerationIds { get; }

    /// <summary>Opens a <c>tokenizer.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="notes">What the files beside it say.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is not a tokenizer, contradicts itself, or has a part this engine does not know.</exception>
    public static HuggingFaceTokenizer Open(string path, TokenizerNotes? notes = null) => new(TokenizerJsonReader.Read(path), notes ?? new TokenizerNotes());

    /// <summary>The tokenizer of a <c>tokenizer.json</c> in memory.</summary>
    internal static HuggingFaceTokenizer Read(string path, ReadOnlySpan<byte> bytes, TokenizerNotes? notes = null) =>
        new(TokenizerJsonReader.Read(path, bytes), notes ?? new TokenizerNotes());

    /// <inheritdoc/>
    public int[] Encode(string text, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(new MarkedText(text, trusted: parseSpecial));
    }

    /// <inheritdoc/>
    public int[] Encode(MarkedText text)
    {
        text = text.WithoutLoneSurrogates();
        List<int> ids = [];
        List<Word> words = [];
        List<Word> finer = [];
        for (int at = 0; at < text.Length;)
        {
            bool found = _given.TryFind(text, at, out int start, out int end, out int id);
            if (!found)
                (start, end) = (text.Length, text.Length);
            if (start > at)
                EncodePiece(text.Text.AsMemory(at, start - at), at == 0, ids, words, finer);
            if (found)
                ids.Add(id);
            at = end;
        }

        return [.. ids];
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int id, bool renderSpecial = false)
    {
        if ((uint)id >= (uint)VocabularySize || (!renderSpecial && IsSpecial(id)))
            return [];
        // Made on first use, by two threads at once at worst.
        _bytes ??= new TokenBytes(VocabularySize, token => _texts.BytesOf(_file.Texts[token], _kinds[token]));
        return _bytes[id];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool renderSpecial = false)
    {
        using MemoryStream bytes = new();
        bool spaceExpected = _texts.HasAddedSpace;
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> token = GetBytes(id, renderSpecial);
            if (spaceExpected && !IsSpecial(id) && !token.IsEmpty)
            {
                spaceExpected = false;
                if (token[0] == (byte)' ')
                    token = token[1..];
            }

            bytes.Write(token);
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <inheritdoc/>
    public StreamingDecoder CreateStreamingDecoder() => new(this);

    /// <summary>The id of a token's text, or null.</summary>
    private int? Find(string text) =>
        _file.Added.Find(token => token.Content == text)?.Id ?? (_file.Ids.TryGetValue(text, out int id) ? id : null);

    private void EncodePiece(ReadOnlyMemory<char> piece, bool atStart, List<int> ids, List<Word> words, List<Word> finer)
    {
        if (_normalizer is not null)
            piece = _normalizer.Normalize(piece.ToString()).AsMemory();
        if (_normalized.IsEmpty)
        {
            EncodeWords(new Word(piece, atStart), ids, words, finer);
            return;
        }

        MarkedText text = new(piece.ToString(), trusted: true);
        for (int at = 0; at < piece.Length;)
        {
            bool found = _normalized.TryFind(text, at, out int start, out int end, out int id);
            if (!found)
                (start, end) = (piece.Length, piece.Length);
            EncodeWords(new Word(piece[at..start], atStart && at == 0), ids, words, finer);
            if (found)
                ids.Add(id);
            at = end;
        }
    }

    private void EncodeWords(Word all, List<int> ids, List<Word> words, List<Word> finer)
    {
        words.Clear();
        if (!all.Text.IsEmpty)
            words.Add(all);
        foreach (IWordSplitter splitter in _splitters)
        {
            finer.Clear();
            foreach (Word word in words)
                splitter.Split(word, finer);
            (words, finer) = (finer, words);
        }

        foreach (Word word in words)
            _model.Encode(word.Text.Span, ids);
    }

    private bool IsSpecial(int id) => (uint)id < (uint)VocabularySize && _kinds[id] is (TokenKind.Control or TokenKind.Unknown);

    /// <summary>Whether only trusted text may hold the token. <c>&lt;think&gt;</c> is withheld though it is seen: users must not write a model's thoughts.</summary>
    private bool IsWithheld(AddedToken token) => _kinds[token.Id] is (TokenKind.Control or TokenKind.Unknown) || SpecialTokenRules.IsMarker(token.Content);

    private HashSet<int> FindEnds(TokenizerNotes notes)
    {
        int? eos = notes.Eos is { Length: > 0 } text ? Find(text) : null;
        // Gemma has </s> as an element of HTML, which is not special: a name that could be text must be.
        return EndTokens.Find(name => _file.Added.Find(token => token.Content == name && (token.Special || name.StartsWith("<|", StringComparison.Ordinal)))?.Id, [eos, .. notes.EndIds.Where(id => id >= 0 && id < VocabularySize)]);
    }

    private TokenKind[] FindKinds()
    {
        TokenKind[] kinds = new TokenKind[VocabularySize];
        Array.Fill(kinds, TokenKind.Normal);
        for (int id = 0; _file.ByteFallback && id < kinds.Length; id++)
        {
            if (Vocabulary.TryParseByte(_file.Texts[id], out _))
                kinds[id] = TokenKind.Byte;
        }

        // Some files call the end of a turn plain, which would let a user's text contain it.
        foreach (AddedToken token in _file.Added)
            kinds[token.Id] = token.Special || EndOfGenerationIds.Contains(token.Id) ? TokenKind.Control : TokenKind.UserDefined;
        if (_file.UnknownId is int unknown)
            kinds[unknown] = TokenKind.Unknown;
        return kinds;
    }
}
