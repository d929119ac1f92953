using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KwaaiNet.Protocol.Sessions;

/// <summary>The hashes of a conversation's whole pages: <c>h[i] = SHA-256(h[i-1] ‖ tokens of page i, little-endian int32)</c>, the first 16 bytes of it.</summary>
/// <remarks>
/// <c>h[-1]</c> is made of the weights and a scope, so that equal tokens have equal hashes within one scope of one model only, and a hash says
/// nothing to whoever does not know all three. Not safe for concurrent use.
/// </remarks>
public sealed class PageHashChain
{
    // Names the format: whatever else is hashed somewhere with these weights and scope is no page.
    private static readonly byte[] s_domain = "kwaainet-kv-pages-v1\0"u8.ToArray();

    private readonly byte[] _block = new byte[SHA256.HashSizeInBytes + (PageHash.Positions * sizeof(int))];
    private readonly List<PageHash> _pages = [];

    /// <summary>A conversation without tokens.</summary>
    /// <param name="weightsHash">The model file's SHA-256, lower-case hex.</param>
    /// <param name="scope">Who may find the pages again; any text.</param>
    public PageHashChain(string weightsHash, string scope)
    {
        ArgumentNullException.ThrowIfNull(weightsHash);
        ArgumentNullException.ThrowIfNull(scope);
        // Hashed each for itself: no two pairs may run together into the same bytes.
        Span<byte> seed = stackalloc byte[s_domain.Length + (2 * SHA256.HashSizeInBytes)];
        s_domain.CopyTo(seed);
        SHA256.HashData(Encoding.UTF8.GetBytes(weightsHash), seed[s_domain.Length..]);
        SHA256.HashData(Encoding.UTF8.GetBytes(scope), seed[(s_domain.Length + SHA256.HashSizeInBytes)..]);
        SHA256.HashData(seed, _block.AsSpan(0, SHA256.HashSizeInBytes));
    }

    /// <summary>Pages hashed so far.</summary>
    public int Count => _pages.Count;

    /// <summary>The hash of a page.</summary>
    public PageHash this[int page] => _pages[page];

    /// <summary>Hashes the pages that have become whole.</summary>
    /// <param name="tokens">The whole conversation so far: what was hashed before has not changed.</param>
    public void Extend(IReadOnlyList<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Span<byte> page = _block.AsSpan(SHA256.HashSizeInBytes);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        while ((_pages.Count + 1) * PageHash.Positions <= tokens.Count)
        {
            for (int i = 0; i < PageHash.Positions; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(page[(i * sizeof(int))..], tokens[(_pages.Count * PageHash.Positions) + i]);
            }

            SHA256.HashData(_block, digest);
            digest.CopyTo(_block);
            _pages.Add(PageHash.Read(digest, 0));
        }
    }

    /// <summary>The first pages' hashes, one behind the other, as they travel.</summary>
    /// <param name="pages">How many; no more than <see cref="Count"/>.</param>
    public byte[] ToBytes(int pages)
    {
        byte[] bytes = new byte[pages * PageHash.Length];
        for (int page = 0; page < pages; page++)
        {
            _pages[page].Write(bytes.AsSpan(page * PageHash.Length));
        }

        return bytes;
    }
}
