using System.Numerics;

namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>Which KV pages of a stack are held, and by how many. Pages are numbers; a backend knows the memory behind them.</summary>
/// <param name="count">How many pages there are.</param>
internal sealed class PageLedger(int count)
{
    private int[] _holders = [];
    private int[] _free = [];
    private int _freeCount;
    private int _used; // numbers below have been handed out before

    /// <summary>How many pages there are.</summary>
    internal int Count => count;

    /// <summary>Pages that nobody holds.</summary>
    internal int Free => count - _used + _freeCount;

    /// <summary>Hands out a page, held once: the one that came back last, whose memory is likely still near. There is one free.</summary>
    internal int Take()
    {
        if (_freeCount > 0)
        {
            int page = _free[--_freeCount];
            _holders[page] = 1;
            return page;
        }

        if (_used == _holders.Length) Array.Resize(ref _holders, (int)Math.Min(count, BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, _used + 1))));
        _holders[_used] = 1;
        return _used++;
    }

    /// <summary>One more holder.</summary>
    internal void Hold(int page) => _holders[page]++;

    /// <summary>One holder less; whether it was the last.</summary>
    internal bool Release(int page)
    {
        if (--_holders[page] > 0) return false;

        if (_freeCount == _free.Length) Array.Resize(ref _free, _holders.Length);
        _free[_freeCount++] = page;
        return true;
    }

    /// <summary>Whether a page has more than one holder.</summary>
    internal bool IsShared(int page) => _holders[page] > 1;
}
