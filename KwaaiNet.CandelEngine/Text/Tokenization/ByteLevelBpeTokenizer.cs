using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Byte-level BPE (<c>tokenizer.ggml.model = gpt2</c>): text is split into words, a word's bytes merge in the order the merges are listed.
/// For the splitters that say so (Gemma 4's), characters merge instead of bytes.</summary>
/// <remarks>
/// Our own, not Microsoft.ML.Tokenizers': its expressions know no letters or numbers beyond U+FFFF, it has no rule for Llama 3's words that
/// are tokens as they stand, and it cannot be told which part of a text may contain control tokens. Where it can be compared, a test does.
/// </remarks>
internal sealed class ByteLevelBpeTokenizer : VocabularyTokenizer
{
    private const char Space = '\u2581';

    private static readonly ulong s_mix = (ulong)Random.Shared.NextInt64() | 1;

    private readonly PreTokenizer _words;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<ulong, Merged> _merges;
    private readonly int[] _byteIds = new int[256];
    private int _beyond;
    private readonly int _longest;

    public ByteLevelBpeTokenizer(Vocabulary vocabulary, PreTokenizer words)
        : base(vocabulary, words.AddBos)
    {
        _words = words;
        _ids = new Dictionary<string, int>(vocabulary.Texts.Length, StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            if (!vocabulary.IsOrdinary(id))
                continue;
            _ids[vocabulary.Texts[id]] = id;
            _longest = Math.Max(_longest, vocabulary.Texts[id].Length);
        }

        for (int value = 0; value < 256; value++)
            _byteIds[value] = words.IsRaw ? vocabulary.Ids.GetValueOrDefault($"<0x{value:X2}>", -1) : IdOf(ByteAlphabet.ToCharacter((byte)value).ToString());
        _merges = ReadMerges();
    }

    protected override bool HasAddedSpace => false;

    protected override void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids)
    {
        if (_words.IsRaw && text.Contains(' '))
            text = text.ToString().Replace(' ', Space);
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
            int count = _words.IsRaw ? ToCharacters(piece, ref word, symbols, lookup) : ToAlphabet(piece, ref word, symbols);
            // Gemma 4's line ends come in tokens of several, which no merge makes.
            bool whole = _words.WholeWordsFirst || (_words.IsRaw && piece[0] == '\n');
            if (whole && count <= _longest && lookup.TryGetValue(word.AsSpan(0, count), out int id) && id < VocabularySize)
            {
                ids.Add(id);
                continue;
            }

            symbols.Merge(new Rule(_merges));
            for (int at = symbols.First; at >= 0; at = symbols[at].Next)
                AddSymbol(symbols[at].Id, word.AsSpan(symbols[at].Start, symbols[at].Length), ids);
        }
    }

    protected override byte[] BytesOf(int id)
    {
        string text = Vocabulary.Texts[id];
        if (!_words.IsRaw)
            return Vocabulary.Kinds[id] == TokenKind.Normal ? ByteAlphabet.ToBytes(text) : Encoding.UTF8.GetBytes(text);
        if (Vocabulary.Kinds[id] == TokenKind.Byte && Vocabulary.TryParseByte(text, out byte value))
            return [value];
        return Encoding.UTF8.GetBytes(Vocabulary.Kinds[id] == TokenKind.Normal ? text.Replace(Space, ' ') : text);
    }

    private static int ToCharacters(ReadOnlySpan<char> piece, ref char[] word, SymbolMerger symbols, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup)
    {
        symbols.Clear();
        if (word.Length < piece.Length)
            word = new char[piece.Length];
        piece.CopyTo(word);
        for (int at = 0; at < piece.Length;)
        {
            int length = char.IsHighSurrogate(piece[at]) ? 2 : 1;
            symbols.Add(at, length, lookup.TryGetValue(piece.Slice(at, length), out int id) ? id : -1);
            at += length;
        }

        return piece.Length;
    }

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

    /// <summary>A symbol that merges made but the vocabulary lacks falls back to its bytes' tokens. A byte that has none either is lost, as in llama.cpp,
    /// unless the vocabulary has a token for what is unknown: some files name the end of text as that, which no user's text may put in.</summary>
    private void AddSymbol(int id, ReadOnlySpan<char> symbol, List<int> ids)
    {
        if (id >= 0 && id < VocabularySize)
        {
            ids.Add(id);
            return;
        }

        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in symbol.EnumerateRunes())
        {
            int count = 1;
            if (_words.IsRaw)
                count = rune.EncodeToUtf8(utf8);
            else
                utf8[0] = ByteAlphabet.ToByte((char)rune.Value);
            foreach (byte value in utf8[..count])
            {
                if (_byteIds[value] is >= 0 and int single && single < VocabularySize)
                    ids.Add(single);
                else if (Vocabulary.UnknownId is int unknown && Vocabulary.Kinds[unknown] == TokenKind.Unknown)
                    ids.Add(unknown);
            }
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
            id = VocabularySize + _beyond++;
            _ids.Add(symbol, id);
        }

        return id;
    }

    // .NET hashes a 64-bit number as one half XOR the other, which is 0 for all pairs of equal symbols. Multiplying mixes the halves, and nobody
    // can write a file whose pairs all collide, as the factor differs from run to run. An odd factor keeps keys apart.
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) * s_mix;

    private readonly record struct Merged(int Rank, int Id);

    private readonly struct Rule(Dictionary<ulong, Merged> merges) : IMergeRule
    {
        public bool TryMerge(in Symbol left, in Symbol right, out uint order, out int id)
        {
            bool found = merges.TryGetValue(Key(left.Id, right.Id), out Merged merged);
            order = (uint)merged.Rank;
            id = merged.Id;
            return found;
        }
    }
}
