using System.IO.MemoryMappedFiles;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Campaigns;

// u32 length of the input being read, or 0;  the input

/// <summary>The input being read, in a file that is left when the process dies of it: a stack overflow cannot be caught.</summary>
internal sealed class CrashJournal : IDisposable
{
    private const int Header = sizeof(uint);

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <param name="path">Where the file goes.</param>
    public CrashJournal(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, Header + Mutator.MaximumLength, MemoryMappedFileAccess.ReadWrite);
        _view = _file.CreateViewAccessor();
    }

    /// <summary>The input that an earlier run died of, or null.</summary>
    public static byte[]? Unfinished(string path)
    {
        if (!File.Exists(path))
            return null;
        byte[] bytes = File.ReadAllBytes(path);
        uint length = bytes.Length >= Header ? BitConverter.ToUInt32(bytes) : 0;
        return length > 0 && length <= bytes.Length - Header ? bytes[Header..(Header + (int)length)] : null;
    }

    /// <summary>Notes what is being read now.</summary>
    public void Begin(byte[] input)
    {
        _view.WriteArray(Header, input, 0, Math.Min(input.Length, Mutator.MaximumLength));
        _view.Write(0, (uint)input.Length);
    }

    /// <summary>Notes that it was survived.</summary>
    public void End() => _view.Write(0, 0u);

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
