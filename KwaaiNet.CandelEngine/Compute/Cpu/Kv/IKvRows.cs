using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>Reads the keys and values of a page in one <see cref="KvFormat"/>. Layouts as <see cref="KvBlock"/> has them.</summary>
internal unsafe interface IKvRows
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>Number <paramref name="i"/> of the keys of 32 positions from <paramref name="position"/> on.</summary>
    /// <param name="keys">A head's keys.</param>
    /// <param name="headSize">Numbers in a head.</param>
    /// <param name="i">Which number.</param>
    /// <param name="position">First position in the page. Lanes of positions that were never kept hold anything.</param>
    static abstract TLanes Key<TLanes>(byte* keys, int headSize, int i, int position) where TLanes : struct, ILanes<TLanes>;

    /// <summary>32 numbers of a position's value from <paramref name="i"/> on.</summary>
    static abstract TLanes Value<TLanes>(byte* values, int headSize, int position, int i) where TLanes : struct, ILanes<TLanes>;

    /// <summary>The last numbers of a value, fewer than 32; the other lanes are zero.</summary>
    static abstract TLanes ValueTail<TLanes>(byte* values, int headSize, int position, int i, int count) where TLanes : struct, ILanes<TLanes>;
}
