using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>An input outside the managed heap, as a mapped file is. Its last byte is the memory's last, as near as an allocator says.</summary>
internal sealed unsafe class NativeInput : IDisposable
{
    private readonly byte* _start;
    private readonly int _length;

    public NativeInput(ReadOnlySpan<byte> bytes)
    {
        _length = bytes.Length;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes.Length), 64);
        bytes.CopyTo(new Span<byte>(_start, _length));
    }

    /// <summary>The input as a mapped file; valid until this is disposed.</summary>
    public GgufMapping Map() => GgufMapping.Over((nint)_start, _length);

    public void Dispose() => NativeMemory.AlignedFree(_start);
}
