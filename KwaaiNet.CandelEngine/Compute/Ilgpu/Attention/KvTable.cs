namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>One session's pages, block after block.</summary>
/// <param name="pages">The pages' numbers, <c>[blocks, pages of a block]</c>.</param>
internal sealed class KvTable(int[] pages)
{
    internal int[] Pages { get; } = pages;

    /// <summary>Where the table starts among all: changes when gaps are closed.</summary>
    internal int Start { get; set; }
}
