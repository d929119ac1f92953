namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>
/// Where every session's table of page numbers lies in one array on the device. Tables lie one behind the other; one that has outgrown its
/// place goes to the end, and when the end is reached the gaps are closed, so that every table behind one moves.
/// </summary>
/// <param name="length">Numbers the array holds.</param>
internal sealed class KvTables(int length)
{
    private readonly int[] _numbers = new int[length];
    private readonly List<KvTable> _tables = []; // in the order in which they lie
    private int _end;
    private long _taken;

    /// <summary>The array as the device should have it.</summary>
    internal int[] Numbers => _numbers;

    /// <summary>Finds another place for a table, or its first one. What it named before must be written anew.</summary>
    /// <returns>Whether there is room; if not, nothing has changed.</returns>
    internal bool TryPlace(KvTable table, int stride)
    {
        long wanted = (long)table.Blocks * stride;
        if (_taken - table.Length + wanted > length) return false;

        Remove(table);
        if (_end + wanted > length) Compact();
        table.Start = _end;
        table.Stride = stride;
        table.IsStale = true;
        _tables.Add(table);
        _end += table.Length;
        _taken += table.Length;
        return true;
    }

    /// <summary>Names a page.</summary>
    /// <param name="table">The session's table.</param>
    /// <param name="block">The block, counted among the session's.</param>
    /// <param name="page">The page, counted in the session.</param>
    /// <param name="number">Its number in the pool.</param>
    internal void Set(KvTable table, int block, int page, int number)
    {
        _numbers[table.Start + (block * table.Stride) + page] = number;
        table.IsStale = true;
    }

    /// <summary>Forgets a table; one that never had a place, too.</summary>
    internal void Remove(KvTable table)
    {
        if (!_tables.Remove(table)) return;

        _taken -= table.Length;
        table.Stride = 0;
    }

    private void Compact()
    {
        _end = 0;
        foreach (KvTable table in _tables)
        {
            if (table.Start != _end)
            {
                Array.Copy(_numbers, table.Start, _numbers, _end, table.Length);
                table.Start = _end;
                table.IsStale = true;
            }

            _end += table.Length;
        }
    }
}
