using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as bfloat16.</summary>
internal readonly unsafe struct BrainWeights : IWeightFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes> =>
        TLanes.LoadBrain((ushort*)row + (block * 32));

    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes>
    {
        ushort* padded = stackalloc ushort[32];
        new Span<ushort>((ushort*)row + (block * 32), count).CopyTo(new Span<ushort>(padded, 32));
        new Span<ushort>(padded, 32)[count..].Clear();
        return TLanes.LoadBrain(padded);
    }
}
