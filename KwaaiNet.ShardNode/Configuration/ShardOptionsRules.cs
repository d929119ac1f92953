using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.ModelStore;
using KwaaiNet.ModelStore.References;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Configuration;

/// <summary>Checks what annotations cannot say: formats, and options that need one another.</summary>
/// <param name="services">Says whether there is a directory to ask.</param>
internal sealed class ShardOptionsRules(IServiceProviderIsService services) : IValidateOptions<ShardOptions>
{
    public ValidateOptionsResult Validate(string? name, ShardOptions options)
    {
        ValidateOptionsResultBuilder result = new();
        if (options.Blocks is not null && !BlockRange.TryParse(options.Blocks, out _))
        {
            result.AddError($"'{options.Blocks}' is not a block range; write both ends, included, as in 0-9.", "Shard:Blocks");
        }

        if (options.Device is not null && options.Backend.Equals("cpu", StringComparison.OrdinalIgnoreCase))
        {
            result.AddError("Shard:Device names an accelerator, and Shard:Backend is cpu. Leave one of them out.", "Shard:Device");
        }

        if (options.ModelPath.Length == 0 && !options.Pull)
        {
            result.AddError("Shard:ModelPath is needed: the .gguf file, or folder of safetensors, to serve blocks of. Or set Shard:Pull and Shard:Model, and it is fetched.", "Shard:ModelPath");
        }

        if (options.Pull && options.ModelPath.Length == 0)
        {
            CheckName(options.Model, result);
        }

        if (options.ModelPath.Length > 0 && !ModelPath.Exists(options.ModelPath))
        {
            result.AddError($"There is no model file, or folder of safetensors with its config.json, at '{options.ModelPath}'.", "Shard:ModelPath");
        }

        // Without discovery nobody can say what is missing; only a shard that serves everything needs no answer.
        if (options.Blocks is null && (options.ExpectedShards > 1 || options.MaxBlocks is not null) && !services.IsService(typeof(INodeDirectory)))
        {
            result.AddError("Choosing blocks needs discovery: set Node:Discovery, or say which blocks to serve.", "Shard:Blocks");
        }

        return result.Build();
    }

    private static void CheckName(string? model, ValidateOptionsResultBuilder result)
    {
        try
        {
            _ = ModelReference.Parse(model ?? "");
        }
        catch (ModelStoreException exception)
        {
            result.AddError($"Shard:Pull needs Shard:Model to name a model that can be pulled. {exception.Message}", "Shard:Model");
        }
    }
}
