using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Memory for keys and values of all sessions of a stack, in pages of one size: a page has 32 positions of one block.</summary>
/// <remarks>It is taken when the stack is loaded, so that a session never fails for memory once it has its pages.</remarks>
internal sealed class KvPool : IDisposable
{
    private readonly MemoryBuffer1D<Quad, Stride1D.Dense> _words;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _tablesOnDevice;
    private readonly KvTables _tables;
    private readonly Stack<int> _free;

    /// <param name="accelerator">The device.</param>
    /// <param name="pages">How many pages.</param>
    /// <param name="pageBytes">Bytes of a page.</param>
    internal KvPool(Accelerator accelerator, int pages, long pageBytes)
    {
        // Devices have no buffers of no bytes.
        _words = accelerator.Allocate1D<Quad>(Math.Max(1, pages * (pageBytes / KvLayout.WordBytes)));
        try
        {
            _tablesOnDevice = accelerator.Allocate1D<int>(Math.Max(1, pages));
        }
        catch
        {
            _words.Dispose();
            throw;
        }

        _tables = new KvTables(pages);
        _free = new Stack<int>(pages);
        for (int page = pages - 1; page >= 0; page--) _free.Push(page);
    }

    /// <summary>Every page, by 128-bit words.</summary>
    internal ArrayView<Quad> Words => _words.View;

    /// <summary>Every page, by 32-bit words.</summary>
    internal ArrayView<int> Ints => Words.Cast<int>();

    /// <summary>Every session's table.</summary>
    internal ArrayView<int> Tables => _tablesOnDevice.View;

    /// <summary>Bytes that a pool takes on the device.</summary>
    internal static long BytesOf(int pages, long pageBytes) => pages * (pageBytes + sizeof(int));

    /// <summary>Takes pages for a session. The budget has room for them.</summary>
    internal KvTable Take(int count)
    {
        var pages = new int[count];
        for (int i = 0; i < count; i++) pages[i] = _free.Pop();
        KvTable table = _tables.Add(pages, out bool moved);
        if (moved) _tablesOnDevice.View.CopyFromCPU(_tables.Numbers);
        else Tables.SubView(table.Start, count).CopyFromCPU(pages);
        return table;
    }

    /// <summary>Takes a session's pages back.</summary>
    internal void Return(KvTable table)
    {
        _tables.Remove(table);
        foreach (int page in table.Pages) _free.Push(page);
    }

    public void Dispose()
    {
        _tablesOnDevice.Dispose();
        _words.Dispose();
    }
}
