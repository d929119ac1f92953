namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>The bytes of every token, end to end in one array.</summary>
internal sealed class TokenBytes
{
    private readonly int[] _starts;
    private readonly byte[] _bytes;

    /// <param name="count">Number of tokens.</param>
    /// <param name="bytesOf">The bytes of one token.</param>
    public TokenBytes(int count, Func<int, byte[]> bytesOf)
    {
        _starts = new int[count + 1];
        using MemoryStream all = new();
        for (int id = 0; id < count; id++)
        {
            all.Write(bytesOf(id));
            _starts[id + 1] = (int)all.Length;
        }

        _bytes = all.ToArray();
    }

    public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id].._starts[id + 1]);
}
