using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Decodes weights of one storage type into lanes. Every decode is exact: what is lost was lost when the file was made.</summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Decodes elements <c>[32·block, 32·block + 32)</c> of a row.</summary>
    static abstract TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>;

    /// <summary>Decodes the last <paramref name="count"/> elements of a row that is no multiple of 32; the other lanes are 0.</summary>
    static abstract TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes>;
}
