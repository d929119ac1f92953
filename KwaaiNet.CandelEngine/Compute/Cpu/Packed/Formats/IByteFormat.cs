using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>Weights of 4 to 6 bits: small unsigned integers with a scale for 32 columns, multiplied with activations of 8 bits.</summary>
/// <remarks>A block is 32 columns; it is taken in four steps of eight: two registers of four columns each.</remarks>
internal unsafe interface IByteFormat : IPackedFormat
{
    /// <summary>Steps whose products fit the 16 bits that <see cref="IRowLanes{TSelf}.AddBytes"/> may sum in: 4, 2 or 1.</summary>
    static abstract int StepsPerSum { get; }

    /// <summary>Every weight is its integer less 8 (Q4_0): eight times the activations' sum is taken off.</summary>
    static abstract bool LessEight { get; }

    /// <summary>Sixteen columns share an integer scale and every weight is its integer less 32 (Q6_K).</summary>
    static abstract bool ScaledHalves { get; }

    /// <summary>A row's weights of a block have an offset in common: <see cref="Minimum"/> (Q4_K, Q5_K).</summary>
    static abstract bool HasMinimum { get; }

    /// <summary>Bits above the fourth of a block's columns, before step <paramref name="step"/>.</summary>
    static abstract TLanes High<TLanes>(byte* unit, int block, int step, int row, TLanes high) where TLanes : struct, IRowLanes<TLanes>;

    /// <summary>The integers of columns 8 · step to 8 · step + 3 (<paramref name="first"/>) and the four after them.</summary>
    static abstract void Step<TLanes>(byte* unit, int block, int step, int row, TLanes high, out TLanes first, out TLanes second) where TLanes : struct, IRowLanes<TLanes>;

    /// <summary>The integer scale of columns 16 · half to 16 · half + 15.</summary>
    static abstract TLanes HalfScale<TLanes>(byte* unit, int block, int half, int row) where TLanes : struct, IRowLanes<TLanes>;

    /// <summary>The float scale of a block.</summary>
    static abstract TLanes Scale<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes>;

    /// <summary>What every weight of a block has added to it, before activations' scale.</summary>
    static abstract TLanes Minimum<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes>;
}
