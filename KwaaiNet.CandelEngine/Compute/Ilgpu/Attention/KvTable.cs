namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Where one session's page numbers lie among all, block after block.</summary>
/// <param name="blocks">The session's blocks.</param>
internal sealed class KvTable(int blocks)
{
    /// <summary>The session's blocks.</summary>
    internal int Blocks => blocks;

    /// <summary>Where the table starts among all: changes when it grows, and when gaps are closed.</summary>
    internal int Start { get; set; }

    /// <summary>From one block's numbers to the next one's: the pages of a block that there is room for.</summary>
    internal int Stride { get; set; }

    /// <summary>Numbers it has room for.</summary>
    internal int Length => blocks * Stride;

    /// <summary>Whether the device must be told before the session runs.</summary>
    internal bool IsStale { get; set; }
}
