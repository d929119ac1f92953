using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Which files a shard reads its model from; may take as long as a download does.</summary>
internal interface IModelFiles
{
    /// <summary>A file with the model's metadata, and perhaps its weights.</summary>
    Task<string> ForMetadataAsync(CancellationToken cancellationToken);

    /// <summary>A file with the weights of some blocks.</summary>
    Task<string> ForBlocksAsync(BlockRange range, CancellationToken cancellationToken);
}
