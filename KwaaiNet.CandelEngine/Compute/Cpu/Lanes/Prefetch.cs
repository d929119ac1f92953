using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>Asks for weights, keys and values before they are needed: a processor's own prefetching stops at every page of 4 KiB, and with one row there is little else to do meanwhile.</summary>
internal static unsafe class Prefetch
{
    /// <summary>How far ahead <see cref="Ahead"/> asks: half a page to two gave the same here, within the noise, and four pages less.</summary>
    internal const int BytesAhead = 2048;

    /// <summary>What memory hands over at a time.</summary>
    internal const int LineBytes = 64;

    /// <summary>Asks for as many bytes as are about to be used, some way ahead of them. Reading beyond the weights' end asks for nothing that matters, and never faults.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Ahead(byte* at, int bytes) => At(at + BytesAhead, bytes);

    /// <summary>Asks for bytes. An address where there is nothing asks for nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void At(byte* at, int bytes)
    {
        if (!Sse.IsSupported) return;

        for (int i = 0; i < bytes; i += LineBytes) Sse.Prefetch0(at + i);
    }
}
