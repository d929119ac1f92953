namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>How keys and values lie in a page of 32 positions of one block, in 128-bit words.</summary>
/// <remarks>
/// For each key/value head, with s numbers to a head (see <see cref="AttentionShape.KeptSize"/>) and t the position in the page:
/// <code>
/// keys    F32: [s / 4][32 positions][4 numbers]      F16: [s / 8][32 positions][8 numbers]     a lane has a position
/// values  F32: [32 positions][s / 4][4 numbers]      F16: [16 pairs][s / 4][2 positions][4 numbers]   a lane has four numbers
/// </code>
/// A warp reads 512 bytes in a row either way.
/// </remarks>
internal static class KvLayout
{
    /// <summary>Bytes of a word.</summary>
    internal const int WordBytes = 16;

    private const int SizeUnit = 8;

    /// <summary>The format kept where one was asked for: bytes are not, so they get the more exact F16.</summary>
    internal static KvFormat Kept(KvFormat wanted) => wanted == KvFormat.F32 ? KvFormat.F32 : KvFormat.F16;

    /// <summary>Numbers of a head as kept.</summary>
    internal static int KeptSize(int headSize) => (headSize + SizeUnit - 1) / SizeUnit * SizeUnit;

    /// <summary>Bytes of one position of one block.</summary>
    internal static long PositionBytes(KvFormat format, int kvHeads, int headSize) =>
        2L * kvHeads * KeptSize(headSize) * (Kept(format) == KvFormat.F32 ? sizeof(float) : sizeof(ushort));

    /// <summary>Bytes of a page.</summary>
    internal static long PageBytes(KvFormat format, int kvHeads, int headSize) =>
        AttentionOrder.PagePositions * PositionBytes(format, kvHeads, headSize);

    /// <summary>Pages that so many positions of one block take.</summary>
    internal static int Pages(int positions) => (positions + AttentionOrder.PagePositions - 1) / AttentionOrder.PagePositions;
}
