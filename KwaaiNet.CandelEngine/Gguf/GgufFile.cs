using System.Security.Cryptography;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>A GGUF file, or all parts of a split one, mapped, with headers read and checked: metadata and where each tensor lies, whatever the architecture.</summary>
/// <remarks>Opening touches the header only and allocates for keys and names, not for arrays or weights. Safe for concurrent reads.</remarks>
public sealed class GgufFile : IDisposable
{
    /// <summary>Key: parts that a model is split into.</summary>
    internal const string SplitCountKey = "split.count";

    private readonly GgufMapping[] _parts;
    private readonly Dictionary<string, TensorData> _tensors;
    private readonly Lock _hashLock = new();
    private string? _sha256;

    private GgufFile(string path, GgufMapping[] parts, GgufMetadata metadata, Dictionary<string, TensorData> tensors)
    {
        Path = path;
        _parts = parts;
        Metadata = metadata;
        _tensors = tensors;
        TensorNames = [.. tensors.Keys];
    }

    /// <summary>The full path; of a split model, that of its first part.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file, or in all parts.</summary>
    public long Length => _parts.Sum(part => part.Length);

    /// <summary>Files that are open: 1 unless the model is split.</summary>
    public int PartCount => _parts.Length;

    /// <summary>What the file says about itself; of a split model, what its first part says.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Names of all tensors, in file order.</summary>
    public IReadOnlyList<string> TensorNames { get; }

    /// <summary>Opens a file, version 2 or 3, little-endian. Of a split model, any part opens the whole.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">
    /// The file is not GGUF, is truncated, lies about itself, or holds a tensor type that this engine does not run; or a part is missing or belongs to another model.
    /// </exception>
    public static GgufFile Open(string path)
    {
        GgufFile file = OpenOne(path);
        try
        {
            return file.Metadata.GetInt32(SplitCountKey) is > 1 ? GgufSplit.Open(file) : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens one file, whether it is a whole model or a part.</summary>
    internal static GgufFile OpenOne(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        FileStream stream = RegularFile.OpenRead(path);
        GgufMapping mapping;
        try
        {
            mapping = GgufMapping.Open(stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        return Open(mapping, path);
    }

    /// <summary>Reads the header of a file that is mapped; the mapping is this file's from here on.</summary>
    internal static GgufFile Open(GgufMapping mapping, string path)
    {
        try
        {
            (GgufMetadata metadata, Dictionary<string, TensorData> tensors) = GgufHeaderReader.Read(mapping, path);
            return new GgufFile(path, [mapping], metadata, tensors);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Makes one file of parts that were checked to belong together; it owns what they owned.</summary>
    internal static GgufFile Join(GgufFile[] parts)
    {
        Dictionary<string, TensorData> tensors = new(parts.Sum(part => part._tensors.Count), StringComparer.Ordinal);
        foreach (GgufFile part in parts)
        {
            foreach ((string name, TensorData tensor) in part._tensors)
            {
                if (!tensors.TryAdd(name, tensor))
                    throw part.Metadata.Problem($"the tensor '{name}' is also in an earlier part of the model. The parts were written wrongly: download the model again.");
            }
        }

        return new GgufFile(parts[0].Path, [.. parts.SelectMany(part => part._parts)], parts[0].Metadata, tensors);
    }

    /// <summary>Looks a tensor up; false when the file has none of that name.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public unsafe bool TryGetTensor(string name, out TensorData tensor)
    {
        _ = _parts[0].Start;
        return _tensors.TryGetValue(name, out tensor);
    }

    /// <summary>SHA-256 over the whole file, of a split model over its parts' bytes in order; lower-case hex. Computed by the first caller, then kept.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed and nobody had asked before.</exception>
    public string Sha256
    {
        get
        {
            lock (_hashLock)
                return _sha256 ??= ComputeSha256();
        }
    }

    /// <summary>Lets the pages behind a tensor leave this process's memory until they are read again.</summary>
    public void GiveBackPages(TensorData tensor)
    {
        foreach (GgufMapping part in _parts)
            part.GiveBack(tensor.Address, tensor.ByteLength);
    }

    /// <summary>Unmaps the file: tensor addresses and unread arrays are gone.</summary>
    public void Dispose()
    {
        foreach (GgufMapping part in _parts)
            part.Dispose();
    }

    private string ComputeSha256()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (GgufMapping part in _parts)
            part.AppendTo(hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
