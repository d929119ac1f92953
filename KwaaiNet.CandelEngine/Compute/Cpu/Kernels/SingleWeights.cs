using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as float32.</summary>
internal readonly unsafe struct SingleWeights : IWeightFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes> =>
        TLanes.Load((float*)row + (block * 32));

    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        PartialLanes.Load<TLanes>((float*)row + (block * 32), count);
}
