using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.Cli.Bench;

/// <summary>How much memory a measurement's keys and values may take: what its sessions need, and not all that a device has.</summary>
internal static class KvBudget
{
    // Backends keep positions in pages.
    private const int Page = 64;

    /// <summary>Bytes for sessions of a length through the whole model, in the widest format.</summary>
    public static long For(ModelShape shape, int sessions, int positions)
    {
        long pages = ((positions + Page - 1) / Page) + 1;
        return sessions * pages * Page * 2L * shape.KvWidth * sizeof(float) * shape.BlockCount;
    }
}
