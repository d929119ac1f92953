using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>The one file that the configuration names.</summary>
internal sealed class LocalModelFile(IOptions<ShardOptions> options) : IModelFiles
{
    // The full path, as an open model gives it: that is how the two are known to be one.
    private readonly string _path = Path.GetFullPath(options.Value.ModelPath);

    /// <inheritdoc/>
    public Task<string> ForMetadataAsync(CancellationToken cancellationToken) => Task.FromResult(_path);

    /// <inheritdoc/>
    public Task<string> ForBlocksAsync(BlockRange range, CancellationToken cancellationToken) => Task.FromResult(_path);
}
