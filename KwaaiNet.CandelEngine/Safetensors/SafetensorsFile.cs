using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>One <c>.safetensors</c> file, mapped, with its header read and checked: where each tensor lies, whatever the model.</summary>
/// <remarks>Opening touches the header only and allocates for names, not for weights. Safe for concurrent reads.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>What the files' names end in.</summary>
    public const string Extension = ".safetensors";

    private readonly GgufMapping _mapping;
    private readonly Dictionary<string, SafetensorsTensor> _tensors;
    private readonly Lock _hashLock = new();
    private string? _sha256;

    private SafetensorsFile(string path, GgufMapping mapping)
    {
        Path = path;
        _mapping = mapping;
        (_tensors, Dictionary<string, string> metadata) = SafetensorsHeaderReader.Read(mapping, path);
        Metadata = metadata;
        TensorNames = [.. _tensors.Keys];
    }

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Bytes in the file.</summary>
    public long Length => _mapping.Length;

    /// <summary>What the writer noted: <c>format</c> is <c>pt</c> in most files.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Names of all tensors, in the header's order.</summary>
    public IReadOnlyList<string> TensorNames { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">The file is not safetensors, is truncated, or lies about itself.</exception>
    public static SafetensorsFile Open(string path)
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
    internal static SafetensorsFile Open(GgufMapping mapping, string path)
    {
        try
        {
            return new SafetensorsFile(path, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Looks a tensor up; false when the file has none of that name.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public unsafe bool TryGetTensor(string name, out SafetensorsTensor tensor)
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

    /// <summary>Lets the pages behind a range leave this process's memory until they are read again; ranges that are not this file's are passed over.</summary>
    internal void GiveBackPages(nint address, long length) => _mapping.GiveBack(address, length);

    /// <summary>Unmaps the file: tensor addresses are gone.</summary>
    public void Dispose() => _mapping.Dispose();
}
