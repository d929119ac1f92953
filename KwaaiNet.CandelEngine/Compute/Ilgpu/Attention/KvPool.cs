using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Memory for the KV pages of a stack, a page being 32 positions of one block, and for the tables in which kernels find a session's pages.</summary>
/// <remarks>It is taken when the stack is loaded, so that a session never fails for memory once it has its pages.</remarks>
internal sealed class KvPool : IDisposable
{
    // Sessions that share pages name them all, and a table has room to grow. A number is 4 bytes, a page tens of thousands.
    private const int NumbersOfPage = 16;

    private readonly MemoryBuffer1D<Quad, Stride1D.Dense> _words;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _tablesOnDevice;
    private readonly PageLockedArray1D<int> _tablesToSend;
    private readonly AcceleratorStream _stream;
    private readonly long _pageWords;

    /// <param name="accelerator">The device.</param>
    /// <param name="pages">How many pages.</param>
    /// <param name="pageBytes">Bytes of a page.</param>
    internal KvPool(Accelerator accelerator, int pages, long pageBytes)
    {
        _pageWords = pageBytes / KvLayout.WordBytes;
        Tables = new KvTables(NumbersOf(pages));

        _stream = accelerator.DefaultStream;

        // Devices have no buffers of no bytes.
        _words = accelerator.Allocate1D<Quad>(Math.Max(1, pages * _pageWords));
        try
        {
            _tablesOnDevice = accelerator.Allocate1D<int>(Math.Max(1, Tables.Numbers.Length));
            _tablesToSend = accelerator.AllocatePageLocked1D<int>(Math.Max(1, Tables.Numbers.Length));
        }
        catch
        {
            _tablesOnDevice?.Dispose();
            _words.Dispose();
            throw;
        }
    }

    /// <summary>Every page, by 128-bit words.</summary>
    internal ArrayView<Quad> Words => _words.View;

    /// <summary>Every page, by 32-bit words.</summary>
    internal ArrayView<int> Ints => Words.Cast<int>();

    /// <summary>Every session's table, as the device should have it.</summary>
    internal KvTables Tables { get; }

    /// <summary>Every session's table, as the device has it. The same memory for ever: recorded launches name it.</summary>
    internal ArrayView<int> TablesOnDevice => _tablesOnDevice.View;

    /// <summary>Bytes that a pool takes on the device.</summary>
    internal static long BytesOf(int pages, long pageBytes) => (pages * pageBytes) + ((long)NumbersOf(pages) * sizeof(int));

    /// <summary>Sends a session's table to the device, if it has changed. It is sent before the step it is for has ended, and does not change until then.</summary>
    internal void Send(KvTable table)
    {
        if (!table.IsStale) return;

        Tables.Numbers.AsSpan(table.Start, table.Length).CopyTo(_tablesToSend.Span[table.Start..]);
        TablesOnDevice.SubView(table.Start, table.Length).CopyFrom(_stream, _tablesToSend.ArrayView.SubView(table.Start, table.Length));
        table.IsStale = false;
    }

    /// <summary>Copies a page, in the order of what is launched.</summary>
    internal void Copy(int from, int to) => Page(to).CopyFrom(_stream, Page(from));

    public void Dispose()
    {
        _tablesToSend.Dispose();
        _tablesOnDevice.Dispose();
        _words.Dispose();
    }

    private static int NumbersOf(int pages) => (int)Math.Min(Array.MaxLength, (long)pages * NumbersOfPage);

    private ArrayView<Quad> Page(int page) => Words.SubView(page * _pageWords, _pageWords);
}
