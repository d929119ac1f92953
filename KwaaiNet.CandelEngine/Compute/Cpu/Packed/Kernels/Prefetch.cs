using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>Asks for weights before they are needed: a processor's own prefetching stops at every page of 4 KiB, and with one row there is little else to do meanwhile.</summary>
internal static unsafe class Prefetch
{
    // About what one core has on the way at once at full bandwidth.
    private const int BytesAhead = 4096;
    private const int LineBytes = 64;

    /// <summary>Asks for as many bytes as are about to be used, some way ahead of them. Reading beyond the weights' end asks for nothing that matters, and never faults.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Ahead(byte* at, int bytes)
    {
        if (!Sse.IsSupported) return;

        for (int i = 0; i < bytes; i += LineBytes) Sse.Prefetch0(at + BytesAhead + i);
    }
}
