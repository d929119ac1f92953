using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>SentencePiece's BPE as Llama 2 uses it (<c>tokenizer.ggml.model = llama</c>): spaces become U+2581, characters merge by score, and what no token spells becomes bytes.</summary>
/// <remarks>
/// Microsoft.ML.Tokenizers reads SentencePiece models only as the protobuf file they come in, which a GGUF file does not hold; and it offers
/// no way to say which part of a text may contain control tokens.
/// </remarks>
internal sealed class SentencePieceTokenizer : VocabularyTokenizer
{
    private const char Space = '\u2581';

    private readonly float[] _scores;
    private readonly int[] _byteIds = new int[256];
    private readonly Dictionary<string, int> _ids;
    private readonly int _longest;

    public SentencePieceTokenizer(Vocabulary vocabulary)
        : base(vocabulary, addBosByDefault: true)
    {
        _scores = vocabulary.ReadScores();
        HasAddedSpace = vocabulary.ReadFlag("add_space_prefix") ?? true;
        _ids = new Dictionary<string, int>(vocabulary.Texts.Length, StringComparer.Ordinal);
        Array.Fill(_byteIds, -1);
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            string text = vocabulary.Texts[id];
            if (vocabulary.Kinds[id] == TokenKind.Byte && Vocabulary.TryParseByte(text, out byte value))
                _byteIds[value] = id;
            if (vocabulary.IsOrdinary(id))
            {
                _ids[text] = id;
                _longest = Math.Max(_longest, text.Length);
            }
        }
    }

    protected override bool HasAddedSpace { get; }

    protected override void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids)
    {
        bool addSpace = HasAddedSpace && afterSpecial;
        string escaped = string.Concat(addSpace ? " " : "", text).Replace(' ', Space);
        SymbolMerger symbols = new();
        Rule rule = new(escaped, _ids.GetAlternateLookup<ReadOnlySpan<char>>(), _scores, _longest);
        for (int i = 0; i < escaped.Length;)
        {
            int length = char.IsHighSurrogate(escaped[i]) ? 2 : 1;
            symbols.Add(i, length, rule.Find(i, length));
            i += length;
        }

        symbols.Merge(rule);
        for (int at = symbols.First; at >= 0; at = symbols[at].Next)
        {
            if (symbols[at].Id >= 0)
                ids.Add(symbols[at].Id);
            else
                AddBytes(escaped.AsSpan(symbols[at].Start, symbols[at].Length), ids);
        }
    }

    protected override byte[] BytesOf(int id) => Vocabulary.Kinds[id] switch
    {
        TokenKind.Byte when Vocabulary.TryParseByte(Vocabulary.Texts[id], out byte value) => [value],
        TokenKind.Normal or TokenKind.Unused or TokenKind.Byte => Encoding.UTF8.GetBytes(Vocabulary.Texts[id].Replace(Space, ' ')),
        _ => Encoding.UTF8.GetBytes(Vocabulary.Texts[id]),
    };

    private void AddBytes(ReadOnlySpan<char> character, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = Encoding.UTF8.GetBytes(character, bytes);
        foreach (byte value in bytes[..count])
        {
            if (_byteIds[value] >= 0)
            {
                ids.Add(_byteIds[value]);
            }
            else
            {
                // Without byte tokens, a whole character is unknown once.
                if (Vocabulary.UnknownId is int unknown)
                    ids.Add(unknown);
                return;
            }
        }
    }

    private readonly ref struct Rule(ReadOnlySpan<char> text, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids, float[] scores, int longest) : IMergeRule
    {
        private readonly ReadOnlySpan<char> _text = text;

        public bool TryMerge(in Symbol left, in Symbol right, out uint order, out int id)
        {
            int length = left.Length + right.Length;
            id = length <= longest ? Find(left.Start, length) : -1;
            order = id >= 0 ? Descending(scores[id]) : 0;
            return id >= 0;
        }

        /// <summary>A number that is lower for a higher score.</summary>
        private static uint Descending(float score)
        {
            // The bits of positive numbers order as integers do, those of negative ones the other way round; -0 is 0.
            uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
            return (bits & 0x80000000) != 0 ? bits : ~bits & 0x7FFFFFFF;
        }

        public int Find(int start, int length) => ids.TryGetValue(_text.Slice(start, length), out int id) ? id : -1;
    }
}
