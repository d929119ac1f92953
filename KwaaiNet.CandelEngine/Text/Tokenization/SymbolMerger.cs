namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Says which two neighbouring symbols may become one, and in what order.</summary>
internal interface IMergeRule
{
    /// <summary>Whether two neighbours merge.</summary>
    /// <param name="left">The left symbol.</param>
    /// <param name="right">The symbol after it.</param>
    /// <param name="order">Lower merges first; of equal ones the leftmost.</param>
    /// <param name="id">What the merged symbol is.</param>
    bool TryMerge(in Symbol left, in Symbol right, out uint order, out int id);
}

/// <summary>A piece of the text being tokenized.</summary>
internal struct Symbol
{
    /// <summary>First character.</summary>
    public int Start;

    /// <summary>Number of characters; 0 once it is part of the symbol to its left.</summary>
    public int Length;

    /// <summary>What the rule knows it as.</summary>
    public int Id;

    /// <summary>Index of the symbol before, or −1.</summary>
    public int Previous;

    /// <summary>Index of the symbol after, or −1.</summary>
    public int Next;
}

/// <summary>Merges neighbouring symbols, always the pair of best priority, until none is left that may merge.</summary>
/// <remarks>
/// A queue of pairs and a linked list of symbols: n symbols take O(n log n), whatever the text, so that a long message cannot hold a node.
/// A pair in the queue whose symbols have changed since is dropped when it comes out. Reusable, by one thread at a time.
/// </remarks>
internal sealed class SymbolMerger
{
    // By order, then from left to right, in one number: much the cheapest to compare.
    private readonly PriorityQueue<Pair, ulong> _queue = new();
    private readonly List<(Pair Pair, ulong Order)> _first = [];
    private Symbol[] _symbols = new Symbol[64];
    private int _count;

    /// <summary>The symbols that are left, leftmost first, are this one and its successors; −1 when there are none.</summary>
    public int First => _count == 0 ? -1 : 0;

    public ref readonly Symbol this[int index] => ref _symbols[index];

    /// <summary>Forgets all symbols.</summary>
    public void Clear()
    {
        _count = 0;
        _queue.Clear();
    }

    /// <summary>Appends a symbol.</summary>
    public void Add(int start, int length, int id)
    {
        if (_count == _symbols.Length)
            Array.Resize(ref _symbols, _count * 2);
        if (_count > 0)
            _symbols[_count - 1].Next = _count;
        _symbols[_count] = new Symbol { Start = start, Length = length, Id = id, Previous = _count - 1, Next = -1 };
        _count++;
    }

    /// <summary>Merges until nothing merges.</summary>
    public void Merge<TRule>(TRule rule)
        where TRule : IMergeRule, allows ref struct
    {
        // Filled at once, a queue of n takes time in proportion to n.
        _first.Clear();
        for (int left = 0; left < _count - 1; left++)
        {
            if (TryPair(rule, left, left + 1, out Pair pair, out ulong order))
                _first.Add((pair, order));
        }

        _queue.EnqueueRange(_first);
        while (_queue.TryDequeue(out Pair pair, out ulong order))
        {
            // Symbols only grow, so a pair is what it was when its length still is.
            int at = (int)(uint)order;
            ref Symbol left = ref _symbols[at];
            if (left.Length == 0 || left.Next < 0 || left.Length + _symbols[left.Next].Length != pair.Length)
                continue;
            ref Symbol right = ref _symbols[left.Next];
            left.Length += right.Length;
            left.Id = pair.Id;
            left.Next = right.Next;
            right.Length = 0;
            if (left.Next >= 0)
            {
                _symbols[left.Next].Previous = at;
                Enqueue(rule, at, left.Next);
            }

            if (left.Previous >= 0)
                Enqueue(rule, left.Previous, at);
        }
    }

    private void Enqueue<TRule>(TRule rule, int left, int right)
        where TRule : IMergeRule, allows ref struct
    {
        if (TryPair(rule, left, right, out Pair pair, out ulong order))
            _queue.Enqueue(pair, order);
    }

    private bool TryPair<TRule>(TRule rule, int left, int right, out Pair pair, out ulong order)
        where TRule : IMergeRule, allows ref struct
    {
        bool merges = rule.TryMerge(in _symbols[left], in _symbols[right], out uint first, out int id);
        pair = new Pair(_symbols[left].Length + _symbols[right].Length, id);
        order = ((ulong)first << 32) | (uint)left;
        return merges;
    }

    private readonly record struct Pair(int Length, int Id);
}
