using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;

namespace KwaaiNet.CandelEngine.Files;

/// <summary>A file mapped read-only into memory. Pages come in when they are touched, and the operating system may drop them again.</summary>
/// <remarks>
/// The file is opened so that nobody can write to it where the system enforces that (Windows). Elsewhere a file cut short while it is
/// mapped ends the process, as with any mapped file: replace model files by renaming, never in place.
/// </remarks>
internal sealed unsafe class GgufMapping : IDisposable
{
    private const int HashChunk = 1 << 24;

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private int _disposed;

    private GgufMapping(MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        _file = file;
        _view = view;
        Length = length;
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        // A view starts at a page, which is where the file starts unless the system needed an offset.
        _start = start + view.PointerOffset;
    }

    private GgufMapping(nint address, long length)
    {
        _start = (byte*)address;
        Length = length;
    }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; }

    /// <summary>The first byte. Valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public byte* Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
            return _start;
        }
    }

    /// <summary>Maps a file that has at least one byte.</summary>
    public static GgufMapping Open(FileStream stream)
    {
        long length = stream.Length;
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        try
        {
            return new GgufMapping(file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A file whose bytes are in memory already. They stay the caller's: kept in place until after <see cref="Dispose"/>, freed by the caller.</summary>
    public static GgufMapping Over(nint address, long length) => new(address, length);

    /// <summary>SHA-256 over the whole file, lower-case hex.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public string ComputeSha256()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendTo(hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds the whole file to a hash.</summary>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public void AppendTo(IncrementalHash hash)
    {
        // The added reference keeps the bytes mapped if another thread closes the file meanwhile.
        bool held = false;
        try
        {
            _view?.SafeMemoryMappedViewHandle.DangerousAddRef(ref held);
            for (long at = 0; at < Length; at += HashChunk)
            {
                int count = (int)Math.Min(HashChunk, Length - at);
                hash.AppendData(new ReadOnlySpan<byte>(Start + at, count));
                GiveBack((nint)(Start + at), count);
            }
        }
        finally
        {
            if (held)
                _view!.SafeMemoryMappedViewHandle.DangerousRelease();
        }
    }

    /// <summary>Lets the pages of a range leave this process's memory until they are touched again. Does nothing for bytes that are not a mapped file's, nor once the file is closed: others may have the addresses by then.</summary>
    /// <param name="address">Its first byte.</param>
    /// <param name="length">Its bytes.</param>
    public void GiveBack(nint address, long length)
    {
        byte* from = (byte*)address;
        if (_view is not null && Volatile.Read(ref _disposed) == 0 && from >= _start && from + length <= _start + Length) MappedPages.GiveBack(from, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}
