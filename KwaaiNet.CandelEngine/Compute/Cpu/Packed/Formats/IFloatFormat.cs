using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>Float weights, each standing alone. A unit is one column: 16 numbers, one of each row.</summary>
internal unsafe interface IFloatFormat : IPackedFormat
{
    /// <summary>The column's weights of the rows from <paramref name="row"/> on.</summary>
    static abstract TLanes Load<TLanes>(byte* unit, int row) where TLanes : struct, IRowLanes<TLanes>;
}
