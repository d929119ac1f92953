using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Discovery.Configuration;

/// <summary>The attributes on <see cref="DiscoveryOptions"/>.</summary>
[OptionsValidator]
internal sealed partial class DiscoveryOptionsAttributesValidator : IValidateOptions<DiscoveryOptions>;

/// <summary>What attributes cannot say about <see cref="DiscoveryOptions"/>.</summary>
internal sealed class DiscoveryOptionsValidator(IConfiguration configuration) : IValidateOptions<DiscoveryOptions>
{
    public ValidateOptionsResult Validate(string? name, DiscoveryOptions options)
    {
        ValidateOptionsResultBuilder result = new();
        switch (Backend(options, configuration))
        {
            case "embedded":
                break;
            case "redis" when string.IsNullOrWhiteSpace(configuration.GetConnectionString(DiscoveryOptions.ConnectionName)):
                result.AddError("Discovery:Backend is 'redis', but ConnectionStrings:registry is not set. Set it to the Redis server (host:port), or set Discovery:Backend to 'embedded'.");
                break;
            case "redis":
                break;
            case "dht":
                result.AddError("Discovery:Backend is 'dht', which this version does not have yet. Set it to 'embedded' or 'redis'.");
                break;
            default:
                result.AddError($"Discovery:Backend is '{options.Backend}'. Set it to 'embedded' or 'redis'.");
                break;
        }

        if (string.IsNullOrEmpty(configuration[$"{NodeOptions.Section}:{nameof(NodeOptions.GrpcPort)}"]))
            result.AddError("Node:GrpcPort is not set: nodes could not reach the discovery service. Set it to a port (0 lets the system choose).");
        return result.Build();
    }

    /// <summary>The backend's name, in lower case.</summary>
    internal static string Backend(DiscoveryOptions options, IConfiguration configuration) =>
        !string.IsNullOrWhiteSpace(options.Backend) ? options.Backend.Trim().ToLowerInvariant()
        : string.IsNullOrWhiteSpace(configuration.GetConnectionString(DiscoveryOptions.ConnectionName)) ? "embedded"
        : "redis";
}
