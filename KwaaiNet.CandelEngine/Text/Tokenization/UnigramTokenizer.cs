using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>SentencePiece's unigram model (<c>tokenizer.ggml.model = t5</c>): of all ways to cut the text into tokens, the one whose scores add up highest.</summary>
/// <remarks>Kudo 2018, "Subword Regularization", https://arxiv.org/abs/1804.10959 §3.1, without its sampling; ties go to the token that starts first.</remarks>
internal sealed class UnigramTokenizer : VocabularyTokenizer
{
    private const double UnknownPenalty = 10;
    // Longer than any token of a real vocabulary: what looking for tokens may cost at each byte of a text.
    private const int LongestToken = 1024;
    // Unicode's own normal forms make at most 33 bytes of three: a map that makes more of a text is after the memory.
    private const int MostOfOne = 64;

    private static readonly byte[] s_space = [0xE2, 0x96, 0x81];

    private readonly Dictionary<ulong, int> _children = [];
    private readonly List<int> _tokenAt = [-1];
    private readonly float[] _scores;
    private readonly double _unknownScore;
    private readonly CharacterMap _map;
    private readonly bool _merges;
    private readonly int _unknown;

    public UnigramTokenizer(Vocabulary vocabulary)
        : base(vocabulary, addBosByDefault: false)
    {
        _scores = vocabulary.ReadScores();
        _map = CharacterMap.Read(vocabulary, vocabulary.ReadCharacterMap());
        _merges = vocabulary.ReadFlag("remove_extra_whitespaces") ?? false;
        _unknown = vocabulary.UnknownId ?? throw vocabulary.Problem("'tokenizer.ggml.unknown_token_id' is missing, which a unigram tokenizer needs.");
        HasAddedSpace = vocabulary.ReadFlag("add_space_prefix") ?? false;
        float lowest = 0;
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            if (vocabulary.Kinds[id] is TokenKind.Normal)
                lowest = Math.Min(lowest, _scores[id]);
            if (vocabulary.Kinds[id] is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused)
                Insert(vocabulary.Texts[id], id);
        }

        _unknownScore = lowest - UnknownPenalty;
    }

    protected override bool HasAddedSpace { get; }

    protected override void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids)
    {
        byte[] bytes = Normalize(text);
        // For each byte, the best way to get there: its sum, its last token, and where that starts.
        double[] sums = new double[bytes.Length + 1];
        int[] tokens = new int[bytes.Length + 1];
        int[] starts = new int[bytes.Length + 1];
        Array.Fill(sums, double.NegativeInfinity);
        sums[0] = 0;
        for (int at = 0; at < bytes.Length;)
        {
            int character = Rune.DecodeFromUtf8(bytes.AsSpan(at), out _, out int length) == System.Buffers.OperationStatus.Done ? length : 1;
            bool known = false;
            int node = 0;
            for (int end = at; end < bytes.Length && _children.TryGetValue(Key(node, bytes[end]), out node);)
            {
                end++;
                if (_tokenAt[node] is int id and >= 0)
                {
                    known |= end - at == character;
                    // A user-defined token always wins against tokens made of parts.
                    Offer(end, sums[at] + (Vocabulary.Kinds[id] == TokenKind.UserDefined ? 0 : _scores[id]), id, at);
                }
            }

            if (!known)
                Offer(at + character, sums[at] + _unknownScore, _unknown, at);
            at += character;
        }

        Stack<int> found = new();
        for (int at = bytes.Length; at > 0; at = starts[at])
        {
            // What is unknown is unknown once.
            if (tokens[at] != _unknown || !found.TryPeek(out int after) || after != _unknown)
                found.Push(tokens[at]);
        }

        ids.AddRange(found);

        void Offer(int end, double sum, int id, int start)
        {
            if (sum <= sums[end])
                return;
            (sums[end], tokens[end], starts[end]) = (sum, id, start);
        }
    }

    protected override byte[] BytesOf(int id) => Vocabulary.Kinds[id] switch
    {
        TokenKind.Byte when Vocabulary.TryParseByte(Vocabulary.Texts[id], out byte value) => [value],
        TokenKind.Normal or TokenKind.Unused => Encoding.UTF8.GetBytes(Vocabulary.Texts[id].Replace('\u2581', ' ')),
        _ => Encoding.UTF8.GetBytes(Vocabulary.Texts[id]),
    };

    /// <summary>The text with its characters mapped and its spaces marked.</summary>
    private byte[] Normalize(ReadOnlySpan<char> text)
    {
        byte[] source = Encoding.UTF8.GetBytes(text.ToArray());
        MemoryStream normal = new(source.Length * 2);
        bool inWord = false;
        bool prefixed = !HasAddedSpace;
        for (int at = 0; at < source.Length;)
        {
            int consumed = _map.Match(source.AsSpan(at), out ReadOnlySpan<byte> part);
            if (consumed == 0)
            {
                Rune.DecodeFromUtf8(source.AsSpan(at), out _, out consumed);
                part = source.AsSpan(at, consumed);
            }

            at += consumed;
            if (normal.Length > (long)MostOfOne * source.Length || part.Length > MostOfOne * MostOfOne)
                throw Vocabulary.Problem($"'tokenizer.ggml.precompiled_charsmap' makes more than {MostOfOne} bytes of one. Take another conversion of the model.");
            foreach (byte value in part)
            {
                if (value == (byte)' ')
                {
                    inWord = false;
                    if (!_merges)
                        normal.Write(s_space);
                    continue;
                }

                if (!inWord && (!prefixed || _merges))
                {
                    normal.Write(s_space);
                    prefixed = true;
                }

                inWord = true;
                normal.WriteByte(value);
            }
        }

        return normal.ToArray();
    }

    private void Insert(string text, int id)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length is 0 or > LongestToken)
            return;
        int node = 0;
        foreach (byte value in bytes)
        {
            ulong key = Key(node, value);
            if (!_children.TryGetValue(key, out int child))
            {
                child = _tokenAt.Count;
                _tokenAt.Add(-1);
                _children.Add(key, child);
            }

            node = child;
        }

        _tokenAt[node] = id;
    }

    private static ulong Key(int node, byte value) => ((ulong)(uint)node << 8) | value;
}
