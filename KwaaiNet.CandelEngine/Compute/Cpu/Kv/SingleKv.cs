using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>Keys and values kept as float32.</summary>
internal readonly unsafe struct SingleKv : IKvRows
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Key<TLanes>(byte* keys, int headSize, int i, int position) where TLanes : struct, ILanes<TLanes> =>
        TLanes.Load((float*)keys + (i * KvBlock.PagePositions) + position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Value<TLanes>(byte* values, int headSize, int position, int i) where TLanes : struct, ILanes<TLanes> =>
        TLanes.Load((float*)values + (position * headSize) + i);

    public static TLanes ValueTail<TLanes>(byte* values, int headSize, int position, int i, int count) where TLanes : struct, ILanes<TLanes> =>
        PartialLanes.Load<TLanes>((float*)values + (position * headSize) + i, count);
}
