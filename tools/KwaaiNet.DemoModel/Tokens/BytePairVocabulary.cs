using System.Globalization;
using System.Text;

namespace KwaaiNet.DemoModel.Tokens;

/// <summary>Ids 0 to 255 are the bytes, then one id a merge in the order learned, then the special tokens.</summary>
internal sealed class BytePairVocabulary
{
    private readonly Dictionary<(int Left, int Right), int> _mergeIds = [];
    private readonly List<byte[]> _bytes = [];
    private readonly Dictionary<string, int[]> _words = new(StringComparer.Ordinal);

    public BytePairVocabulary(IReadOnlyList<(int Left, int Right)> merges)
    {
        Merges = merges;
        for (int value = 0; value < 256; value++)
            _bytes.Add([(byte)value]);
        foreach ((int left, int right) in merges)
        {
            _mergeIds.Add((left, right), _bytes.Count);
            _bytes.Add([.. _bytes[left], .. _bytes[right]]);
        }

        EndOfText = _bytes.Count;
    }

    /// <summary>Special tokens: no text encodes to them, only the chat template's markers do.</summary>
    public static IReadOnlyList<string> Specials { get; } = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    public IReadOnlyList<(int Left, int Right)> Merges { get; }

    /// <summary>Stands between conversations.</summary>
    public int EndOfText { get; }

    /// <summary>Opens a message.</summary>
    public int MessageStart => EndOfText + 1;

    /// <summary>Closes a message.</summary>
    public int MessageEnd => EndOfText + 2;

    /// <summary>Tokens of every kind.</summary>
    public int Size => _bytes.Count + Specials.Count;

    public static BytePairVocabulary Load(string path) => new([.. File.ReadLines(path).Select(line =>
    {
        string[] parts = line.Split(' ');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    })]);

    public void Save(string path) =>
        File.WriteAllLines(path, Merges.Select(merge => string.Create(CultureInfo.InvariantCulture, $"{merge.Left} {merge.Right}")));

    /// <summary>Encodes a text that holds no special token. Not thread-safe: words are remembered.</summary>
    public void Encode(string text, List<int> ids)
    {
        foreach (string word in Words.Cut(text))
        {
            if (!_words.TryGetValue(word, out int[]? encoded))
                _words.Add(word, encoded = EncodeWord(word));
            ids.AddRange(encoded);
        }
    }

    /// <summary>How many tokens a text takes.</summary>
    public int Count(string text)
    {
        List<int> ids = [];
        Encode(text, ids);
        return ids.Count;
    }

    /// <summary>The bytes of a token; none for a special one.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => id < _bytes.Count ? _bytes[id] : [];

    /// <summary>A token as a GGUF names it.</summary>
    public string NameOf(int id) => id < _bytes.Count ? ByteAlphabet.Of(_bytes[id]) : Specials[id - _bytes.Count];

    public string Decode(IEnumerable<int> ids)
    {
        List<byte> bytes = [];
        foreach (int id in ids)
            bytes.AddRange(BytesOf(id));
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private int[] EncodeWord(string word)
    {
        List<int> ids = [.. Encoding.UTF8.GetBytes(word).Select(value => (int)value)];
        while (true)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 1; i < ids.Count; i++)
            {
                if (_mergeIds.TryGetValue((ids[i - 1], ids[i]), out int id) && id < best)
                    (best, at) = (id, i - 1);
            }

            if (at < 0)
                return [.. ids];
            ids[at] = best;
            ids.RemoveAt(at + 1);
        }
    }
}
