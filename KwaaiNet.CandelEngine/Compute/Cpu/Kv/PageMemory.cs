using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>Native memory of a stack's KV pages: comes into being when a page is first taken, and is kept for the next one that is.</summary>
/// <param name="pageBytes">Bytes of a page.</param>
internal sealed unsafe class PageMemory(long pageBytes) : IDisposable
{
    private const int Alignment = 64;

    // Sessions come and go all the time; only what a crowd has left behind goes back to the system.
    private const long MostIdleBytes = 64 << 20;

    private readonly Stack<nint> _idle = new();
    private nint[] _addresses = []; // by the page's number

    /// <summary>Where a taken page lies.</summary>
    internal nint this[int page] => _addresses[page];

    /// <summary>Makes a page's memory exist.</summary>
    internal void Take(int page)
    {
        if (page >= _addresses.Length) Array.Resize(ref _addresses, Math.Max(page + 1, Math.Max(64, 2 * _addresses.Length)));
        _addresses[page] = _idle.TryPop(out nint idle) ? idle : (nint)NativeMemory.AlignedAlloc((nuint)pageBytes, Alignment);
    }

    /// <summary>A page's memory is no longer needed.</summary>
    internal void Return(int page)
    {
        if (_idle.Count * pageBytes < MostIdleBytes) _idle.Push(_addresses[page]);
        else NativeMemory.AlignedFree((void*)_addresses[page]);
        _addresses[page] = 0;
    }

    /// <summary>Copies a page.</summary>
    internal void Copy(int from, int to) => NativeMemory.Copy((void*)_addresses[from], (void*)_addresses[to], (nuint)pageBytes);

    public void Dispose()
    {
        foreach (nint address in _addresses) NativeMemory.AlignedFree((void*)address);
        foreach (nint address in _idle) NativeMemory.AlignedFree((void*)address);
        _addresses = [];
        _idle.Clear();
    }
}
