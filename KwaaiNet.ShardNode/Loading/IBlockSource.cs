using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Opens the model and loads blocks of it. One seam, so that tests serve blocks that were never in a file.</summary>
internal interface IBlockSource : IDisposable
{
    /// <summary>Opens the model and the device. Called once, before <see cref="LoadAsync"/>; takes as long as hashing the file, or a download, does.</summary>
    Task<OpenedModel> OpenAsync(CancellationToken cancellationToken);

    /// <summary>What blocks would take on the device, and what it has for them; null where the file at hand does not tell.</summary>
    BlockMemory? MemoryFor(BlockRange range);

    /// <summary>Loads blocks, on a thread that has nothing else to do.</summary>
    Task<IBlockStack> LoadAsync(BlockRange range, CancellationToken cancellationToken);
}
