using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Configuration;

/// <summary>Checks what annotations cannot say: formats, and options that need one another.</summary>
/// <param name="node">Where discovery is, if anywhere.</param>
internal sealed class ShardOptionsRules(IOptions<NodeOptions> node) : IValidateOptions<ShardOptions>
{
    public ValidateOptionsResult Validate(string? name, ShardOptions options)
    {
        ValidateOptionsResultBuilder result = new();
        if (options.Blocks is not null && !BlockRange.TryParse(options.Blocks, out _))
        {
            result.AddError($"'{options.Blocks}' is not a block range; write both ends, included, as in 0-9.", "Shard:Blocks");
        }

        if (options.ModelPath.Length > 0 && !File.Exists(options.ModelPath))
        {
            result.AddError($"There is no file '{options.ModelPath}'.", "Shard:ModelPath");
        }

        // Without discovery nobody can say what is missing; only a shard that serves everything needs no answer.
        if (options.Blocks is null && node.Value.Discovery is null && (options.ExpectedShards > 1 || options.MaxBlocks is not null))
        {
            result.AddError("Choosing blocks needs discovery: set Node:Discovery, or say which blocks to serve.", "Shard:Blocks");
        }

        return result.Build();
    }
}
