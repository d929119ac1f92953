using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KwaaiNet.ModelStore.Digests;

/// <summary>Hashes a file while it passes: SHA-256, the id git gives it, and for a GGUF each tensor's SHA-256.</summary>
internal sealed class ContentHash : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? _git;

    /// <param name="name">The file's name, for messages.</param>
    /// <param name="isGguf">Whether tensors are to be hashed too.</param>
    /// <param name="gitSize">The file's size where git's id is wanted: it stands before the bytes.</param>
    public ContentHash(string name, bool isGguf, long? gitSize)
    {
        Tensors = isGguf ? new TensorDigester(name) : null;
        if (gitSize is not { } size) return;
#pragma warning disable CA5350 // Git names its objects by SHA-1; for these small files the hub says nothing stronger.
        _git = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        _git.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {size}\0")));
    }

    /// <summary>Each tensor's digest; null for a file that has none.</summary>
    public TensorDigester? Tensors { get; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        _git?.AppendData(bytes);
        Tensors?.Append(bytes);
    }

    /// <summary>SHA-256 of all bytes so far, lower-case hex. Ends the hash.</summary>
    public string Sha256() => Convert.ToHexStringLower(_sha256.GetHashAndReset());

    /// <summary>Git's id; null when it was not asked for.</summary>
    public string? GitBlobId() => _git is null ? null : Convert.ToHexStringLower(_git.GetHashAndReset());

    public void Dispose()
    {
        _sha256.Dispose();
        _git?.Dispose();
        Tensors?.Dispose();
    }
}
