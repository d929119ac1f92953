using System.Buffers;
using System.Security.Cryptography;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelStore.Digests;

/// <summary>Hashes the tensors of a GGUF file while it passes, front to back.</summary>
internal sealed class TensorDigester(string name) : IDisposable
{
    private const int LongestHeader = 1 << 28;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<string, string> _digests = new(StringComparer.Ordinal);
    private ArrayBufferWriter<byte>? _header = new();
    private int _nextTry = 1 << 16;
    private List<GgufTensorPlace> _places = [];
    private int _current;
    private long _position;

    /// <summary>The file's layout; null until its header has passed, and for what is no GGUF.</summary>
    public GgufLayout? Layout { get; private set; }

    /// <summary>SHA-256 of each tensor, lower-case hex; null unless all have passed.</summary>
    public IReadOnlyDictionary<string, string>? Digests => Layout is not null && _digests.Count == Layout.Tensors.Count ? _digests : null;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Layout is not null)
        {
            Take(bytes);
            return;
        }

        if (_header is null) return;
        _header.Write(bytes);
        if (_header.WrittenCount < _nextTry) return;
        _nextTry = _header.WrittenCount * 2;
        ReadHeader();
    }

    /// <summary>Says that the file has ended: a short one may not have been looked at yet.</summary>
    public void Complete()
    {
        if (Layout is null && _header is not null) ReadHeader();
    }

    public void Dispose() => _hash.Dispose();

    private void ReadHeader()
    {
        try
        {
            Layout = GgufLayout.TryRead(_header!.WrittenSpan, name);
        }
        catch (ModelFormatException)
        {
            // Not for us to say: the whole file is checked against its digest, and by who opens it.
            _header = null;
            return;
        }

        if (Layout is null)
        {
            if (_header.WrittenCount > LongestHeader) _header = null;
            return;
        }

        _places = [.. Layout.Tensors.OrderBy(tensor => tensor.Offset)];
        ReadOnlySpan<byte> all = _header.WrittenSpan;
        _header = null;
        Take(all);
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _current < _places.Count)
        {
            GgufTensorPlace place = _places[_current];
            long skip = Math.Min(Math.Max(0, place.Offset - _position), bytes.Length);
            bytes = bytes[(int)skip..];
            _position += skip;
            int count = (int)Math.Min(place.Offset + place.Bytes - _position, bytes.Length);
            if (bytes.IsEmpty || count < 0) break;
            _hash.AppendData(bytes[..count]);
            bytes = bytes[count..];
            _position += count;
            if (_position < place.Offset + place.Bytes) break;
            _digests[place.Name] = Convert.ToHexStringLower(_hash.GetHashAndReset());
            _current++;
        }

        _position += bytes.Length;
    }
}
