using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>Keys and values kept as binary16.</summary>
internal readonly unsafe struct HalfKv : IKvRows
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Key<TLanes>(byte* keys, int headSize, int i, int position) where TLanes : struct, ILanes<TLanes> =>
        TLanes.LoadHalf((ushort*)keys + (i * KvBlock.PagePositions) + position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Value<TLanes>(byte* values, int headSize, int position, int i) where TLanes : struct, ILanes<TLanes> =>
        TLanes.LoadHalf((ushort*)values + (position * headSize) + i);

    public static TLanes ValueTail<TLanes>(byte* values, int headSize, int position, int i, int count) where TLanes : struct, ILanes<TLanes>
    {
        float* tail = stackalloc float[ILanes<TLanes>.Count];
        for (int j = 0; j < count; j++) tail[j] = (float)((Half*)values)[(position * headSize) + i + j];
        return TLanes.Load(tail);
    }
}
