using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>A GGUF file, mapped, with its header read and checked: metadata and where each tensor lies, whatever the architecture.</summary>
/// <remarks>Opening touches the header only and allocates for keys and names, not for arrays or weights. Safe for concurrent reads.</remarks>
public sealed class GgufFile : IDisposable
{
    private readonly GgufMapping _mapping;
    private readonly Dictionary<string, TensorData> _tensors;
    private readonly Lock _hashLock = new();
    private string? _sha256;

    private GgufFile(string path, GgufMapping mapping, GgufMetadata metadata, Dictionary<string, TensorData> tensors)
    {
        Path = path;
        _mapping = mapping;
        Metadata = metadata;
        _tensors = tensors;
        TensorNames = [.. tensors.Keys];
    }

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file.</summary>
    public long Length => _mapping.Length;

    /// <summary>What the file says about itself.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Names of all tensors, in file order.</summary>
    public IReadOnlyList<string> TensorNames { get; }

    /// <summary>Opens a file, version 3, little-endian.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">The file is not GGUF, is truncated, lies about itself, or holds a tensor type that this engine does not run.</exception>
    public static GgufFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no model file {path}.", path);
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        GgufMapping mapping;
        try
        {
            if (stream.Length == 0)
                throw new ModelFormatException($"{path}: the file is empty. Download it again.");
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
            return new GgufFile(path, mapping, metadata, tensors);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Looks a tensor up; false when the file has none of that name.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public unsafe bool TryGetTensor(string name, out TensorData tensor)
    {
        _ = _mapping.Start;
        return _tensors.TryGetValue(name, out tensor);
    }

    /// <summary>SHA-256 over the whole file, lower-case hex; computed by the first caller, then kept.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed and nobody had asked before.</exception>
    public string Sha256
    {
        get
        {
            lock (_hashLock)
                return _sha256 ??= _mapping.ComputeSha256();
        }
    }

    /// <summary>Lets the pages behind a tensor leave this process's memory until they are read again.</summary>
    public void GiveBackPages(TensorData tensor) => _mapping.GiveBack(tensor.Address, tensor.ByteLength);

    /// <summary>Unmaps the file: tensor addresses and unread arrays are gone.</summary>
    public void Dispose() => _mapping.Dispose();
}
