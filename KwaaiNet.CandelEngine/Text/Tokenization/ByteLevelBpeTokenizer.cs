using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Byte-level BPE (<c>tokenizer.ggml.model = gpt2</c>): text is split into words, a word's bytes merge in the order the merges are listed.</summary>
/// <remarks>
/// Our own, not Microsoft.ML.Tokenizers': its expressions know no letters or numbers beyond U+FFFF, it has no rule for Llama 3's words that
/// are tokens as they stand, and it cannot be told which part of a text may contain control tokens. Where it can be compared, a test does.
/// </remarks>
internal sealed class ByteLevelBpeTokenizer : VocabularyTokenizer
{
    private readonly PreTokenizer _words;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<ulong, Merged> _merges;
    private readonly int[] _byteIds = new int[256];
    private readonly List<string> _beyond = [];
    private readonly bool _wholeWordsFirst;
    private readonly int _longest;

    public ByteLevelBpeTokenizer(Vocabulary vocabulary, PreTokenizer words, bool wholeWordsFirst, bool addBosByDefault)
        : base(vocabulary, addBosByDefault)
    {
        _words = words;
        _wholeWordsFirst = wholeWordsFirst;
        _ids = new Dictionary<string, int>(vocabulary.Texts.Length, StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            if (!vocabulary.IsOrdinary(id))
                continue;
            _ids[vocabulary.Texts[id]] = id;
            _longest = Math.Max(_longest, vocabulary.Texts[id].Length);
        }

        for (int value = 0; value < 256; value++)
            _byteIds[value] = IdOf(ByteAlphabet.ToCharacter((byte)value).ToString());
        _merges = ReadMerges();
    }

    protected override bool HasAddedSpace => false;

    protected override void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids)
    {
        List<int> ends = [];
        _words.Split(text, ends);
        SymbolMerger symbols = new();
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        char[] word = new char[64];
        int start = 0;
        foreach (int end in ends)
        {
            ReadOnlySpan<char> piece = text[start..end];
            start = end;
            int count = ToAlphabet(piece, ref word, symbols);
            if (_wholeWordsFirst && count <= _longest && lookup.TryGetValue(word.AsSpan(0, count), out int whole) && whole < VocabularySize)
            {
                ids.Add(whole);
                continue;
            }

            symbols.Merge(new Rule(_merges));
            for (int at = symbols.First; at >= 0; at = symbols[at].Next)
                AddSymbol(symbols[at].Id, ids);
        }
    }

    protected override byte[] BytesOf(int id) =>
        Vocabulary.Kinds[id] == TokenKind.Normal ? ByteAlphabet.ToBytes(Vocabulary.Texts[id]) : Encoding.UTF8.GetBytes(Vocabulary.Texts[id]);

    private int ToAlphabet(ReadOnlySpan<char> piece, ref char[] word, SymbolMerger symbols)
    {
        symbols.Clear();
        int count = 0;
        Span<byte> utf8 = stackalloc byte[4];
        if (word.Length < piece.Length * 3)
            word = new char[piece.Length * 3];
        foreach (Rune rune in piece.EnumerateRunes())
        {
            int bytes = rune.EncodeToUtf8(utf8);
            for (int i = 0; i < bytes; i++)
            {
                word[count] = ByteAlphabet.ToCharacter(utf8[i]);
                symbols.Add(count++, 1, _byteIds[utf8[i]]);
            }
        }

        return count;
    }

    /// <summary>A symbol that merges made but the vocabulary lacks falls back to its bytes' tokens, and a byte without token to the unknown one.</summary>
    private void AddSymbol(int id, List<int> ids)
    {
        if (id < VocabularySize)
        {
            ids.Add(id);
            return;
        }

        foreach (char c in _beyond[id - VocabularySize])
        {
            int single = _ids.GetValueOrDefault(c.ToString(), VocabularySize);
            if (single < VocabularySize)
                ids.Add(single);
            else if (Vocabulary.UnknownId is int unknown)
                ids.Add(unknown);
        }
    }

    private Dictionary<ulong, Merged> ReadMerges()
    {
        string[] lines = Vocabulary.ReadMerges();
        Dictionary<ulong, Merged> merges = new(lines.Length);
        for (int rank = 0; rank < lines.Length; rank++)
        {
            // A symbol may itself begin with a space in no alphabet of bytes, so the first space after the first character parts them.
            int space = lines[rank].Length > 1 ? lines[rank].IndexOf(' ', 1) : -1;
            if (space < 0 || space == lines[rank].Length - 1)
                throw Vocabulary.Problem($"merge {rank} is '{lines[rank]}', which is not two symbols with a space between. The file was written wrongly: take another conversion of the model.");
            string left = lines[rank][..space];
            string right = lines[rank][(space + 1)..];
            merges.TryAdd(Key(IdOf(left), IdOf(right)), new Merged(rank, IdOf(left + right)));
        }

        return merges;
    }

    /// <summary>A symbol's token, or a number beyond the vocabulary for a symbol that is no token.</summary>
    private int IdOf(string symbol)
    {
        if (!_ids.TryGetValue(symbol, out int id))
        {
            id = VocabularySize + _beyond.Count;
            _beyond.Add(symbol);
            _ids.Add(symbol, id);
        }

        return id;
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private readonly record struct Merged(int Rank, int Id);

    private readonly struct Rule(Dictionary<ulong, Merged> merges) : IMergeRule
    {
        public bool TryMerge(in Symbol left, in Symbol right, out float priority, out int id)
        {
            bool found = merges.TryGetValue(Key(left.Id, right.Id), out Merged merged);
            // Ranks stay below 2^24, where float32 holds every integer.
            priority = merged.Rank;
            id = merged.Id;
            return found;
        }
    }
}
