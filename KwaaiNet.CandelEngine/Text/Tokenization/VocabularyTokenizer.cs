using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>What every tokenizer over a <see cref="Vocabulary"/> does alike: special tokens around, bytes back, decoding.</summary>
internal abstract class VocabularyTokenizer : ITokenizer, IMarkedTextTokenizer
{
    // What C's isspace knows: the white space that tokens of some models swallow.
    private const string AsciiSpace = " \t\n\v\f\r";

    private readonly SpecialTokens _special;
    private readonly HashSet<int>? _strippingAfter;
    private readonly int? _strippingBefore;
    private TokenBytes? _bytes;

    protected VocabularyTokenizer(Vocabulary vocabulary, bool addBosByDefault)
    {
        Vocabulary = vocabulary;
        _special = new SpecialTokens(vocabulary);
        _strippingAfter = SpecialTokenRules.FindStrippingAfter(vocabulary);
        _strippingBefore = SpecialTokenRules.FindStrippingBefore(vocabulary);
        AddBos = vocabulary.BosId is not null && (vocabulary.ReadFlag("add_bos_token") ?? addBosByDefault);
    }

    public int VocabularySize => Vocabulary.Texts.Length;

    public int? BosId => Vocabulary.BosId;

    public bool AddBos { get; }

    public IReadOnlySet<int> EndOfGenerationIds => Vocabulary.EndOfGenerationIds;

    /// <summary>The tokens.</summary>
    public Vocabulary Vocabulary { get; }

    public int[] Encode(string text, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(new MarkedText(text, trusted: parseSpecial));
    }

    /// <summary>Encodes text in which control tokens stand for themselves only where it is trusted.</summary>
    public int[] Encode(MarkedText text)
    {
        text = text.WithoutLoneSurrogates();
        List<int> ids = [];
        bool afterSpecial = true;
        for (int at = 0; at < text.Length;)
        {
            bool found = _special.TryFind(text, at, out int start, out int length, out int id);
            int end = found ? start : text.Length;
            ReadOnlySpan<char> between = text.Text.AsSpan(at, end - at);
            if (found && id == _strippingBefore)
                between = between.TrimEnd(AsciiSpace);
            if (!between.IsEmpty)
            {
                EncodeOrdinary(between, afterSpecial, ids);
                afterSpecial = false;
            }

            if (found)
            {
                ids.Add(id);
                afterSpecial = true;
            }

            at = end + length;
            if (found && _strippingAfter?.Contains(id) == true)
                at = text.Length - text.Text.AsSpan(at).TrimStart(AsciiSpace).Length;
        }

        return [.. ids];
    }

    public ReadOnlySpan<byte> GetBytes(int id, bool renderSpecial = false)
    {
        if ((uint)id >= (uint)VocabularySize || (!renderSpecial && IsSpecial(id)))
            return [];
        // Made on first use, by two threads at once at worst.
        _bytes ??= new TokenBytes(VocabularySize, BytesOf);
        return _bytes[id];
    }

    public string Decode(ReadOnlySpan<int> ids, bool renderSpecial = false)
    {
        using MemoryStream bytes = new();
        bool spaceExpected = HasAddedSpace;
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> token = GetBytes(id, renderSpecial);
            // Encoding puts its space after any leading special tokens, so these do not hide it.
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

    public StreamingDecoder CreateStreamingDecoder() => new(this);

    /// <summary>Whether encoding puts a space before the text, which decoding a whole sequence takes away again.</summary>
    protected abstract bool HasAddedSpace { get; }

    /// <summary>Encodes text that holds no special token.</summary>
    /// <param name="text">Not empty, no lone surrogates.</param>
    /// <param name="afterSpecial">Whether it stands at the start or after a special token.</param>
    /// <param name="ids">Where the ids go.</param>
    protected abstract void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids);

    /// <summary>The bytes a token stands for, its own text for special tokens.</summary>
    protected abstract byte[] BytesOf(int id);

    private bool IsSpecial(int id) => (uint)id < (uint)VocabularySize && Vocabulary.Kinds[id] is (TokenKind.Control or TokenKind.Unknown);
}
