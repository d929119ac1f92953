namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>
/// Where every session's table of pages lies in one array on the device. Tables lie one behind the other; when the end is reached,
/// the gaps that closed sessions left are closed too, and every session behind one moves.
/// </summary>
/// <param name="length">Numbers the array holds: as many as there are pages, so that there is always room for tables of pages that are free.</param>
internal sealed class KvTables(int length)
{
    private readonly int[] _numbers = new int[length];
    private readonly List<KvTable> _tables = [];
    private int _end;

    /// <summary>The array as the device should have it.</summary>
    internal int[] Numbers => _numbers;

    /// <summary>Places a table.</summary>
    /// <param name="pages">Its pages.</param>
    /// <param name="moved">Whether others moved, so that the whole array must be sent; else the new table alone.</param>
    internal KvTable Add(int[] pages, out bool moved)
    {
        moved = _end + pages.Length > _numbers.Length;
        if (moved) Compact();

        KvTable table = new(pages) { Start = _end };
        pages.CopyTo(_numbers, _end);
        _end += pages.Length;
        _tables.Add(table);
        return table;
    }

    /// <summary>Forgets a table.</summary>
    internal void Remove(KvTable table) => _tables.Remove(table);

    private void Compact()
    {
        _end = 0;
        foreach (KvTable table in _tables)
        {
            table.Start = _end;
            table.Pages.CopyTo(_numbers, _end);
            _end += table.Pages.Length;
        }
    }
}
