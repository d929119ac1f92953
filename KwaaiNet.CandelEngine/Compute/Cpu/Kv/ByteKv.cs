using System.Diagnostics;
using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>Keys and values kept as signed bytes with a binary16 scale for 32 numbers of a head. Scale times byte is exact in float32.</summary>
internal readonly unsafe struct ByteKv : IKvRows
{
    public static int Bytes => 1;

    private const int ScaledNumbers = 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Key<TLanes>(byte* keys, int headSize, int i, int position) where TLanes : struct, ILanes<TLanes>
    {
        byte* bytes = keys + (headSize / ScaledNumbers * KvBlock.PagePositions * sizeof(ushort));
        return TLanes.Multiply(
            TLanes.LoadSBytes((sbyte*)bytes + (i * KvBlock.PagePositions) + position),
            TLanes.LoadHalf((ushort*)keys + (i / ScaledNumbers * KvBlock.PagePositions) + position));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Value<TLanes>(byte* values, int headSize, int position, int i) where TLanes : struct, ILanes<TLanes>
    {
        int scales = headSize / ScaledNumbers;
        byte* bytes = values + (KvBlock.PagePositions * scales * sizeof(ushort));
        float scale = (float)((Half*)values)[(position * scales) + (i / ScaledNumbers)];
        return TLanes.Multiply(TLanes.LoadSBytes((sbyte*)bytes + (position * headSize) + i), TLanes.Broadcast(scale));
    }

    // Heads kept this way are whole multiples of 32.
    public static TLanes ValueTail<TLanes>(byte* values, int headSize, int position, int i, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A head kept as bytes has no partial block.");
}
