using System.Net;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>The attributes on <see cref="NodeOptions"/>.</summary>
[OptionsValidator]
internal sealed partial class NodeOptionsAttributesValidator : IValidateOptions<NodeOptions>;

/// <summary>What attributes cannot say about <see cref="NodeOptions"/>. Every message names the setting and what to do.</summary>
internal sealed class NodeOptionsValidator : IValidateOptions<NodeOptions>
{
    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        ValidateOptionsResultBuilder result = new();
        if (options.TtlMilliseconds < 2L * options.HeartbeatMilliseconds)
        {
            result.AddError(
                $"Node:TtlMilliseconds is {options.TtlMilliseconds}, less than twice Node:HeartbeatMilliseconds ({options.HeartbeatMilliseconds}): one lost heartbeat would end the node. Raise the ttl or lower the heartbeat.");
        }

        if (!TryGetListenAddress(options.Host, out _))
            result.AddError($"Node:Host is '{options.Host}'. Set it to an IP address of this machine, 'localhost', or 0.0.0.0 for all of them.");
        if (options.GrpcPort is int grpc and not 0 && grpc == options.HttpPort)
            result.AddError($"Node:GrpcPort and Node:HttpPort are both {grpc}. Give each a port of its own.");
        Address(result, "Node:AdvertisedEndpoint", options.AdvertisedEndpoint);
        Address(result, "Node:Discovery", options.Discovery);
        if (options.DiscoveryNodeId is not null && !NodeId.IsValid(options.DiscoveryNodeId))
            result.AddError($"Node:DiscoveryNodeId is '{options.DiscoveryNodeId}'. Set it to the discovery service's did:key (did:key:z6Mk…), or leave it out.");
        Text(result, "Node:Name", options.Name);
        Text(result, "Node:Network", options.Network);
        Text(result, "Node:Region", options.Region);
        return result.Build();
    }

    /// <summary>The address to listen on: an IP address or <c>localhost</c>.</summary>
    internal static bool TryGetListenAddress(string host, out IPAddress address)
    {
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = IPAddress.Loopback;
            return true;
        }

        bool parsed = IPAddress.TryParse(host, out IPAddress? found);
        address = found ?? IPAddress.None;
        return parsed;
    }

    private static void Address(ValidateOptionsResultBuilder result, string setting, string? value)
    {
        if (value is not null && !NodeRecordBounds.IsAddress(value, Uri.UriSchemeHttps))
            result.AddError($"{setting} is '{value}'. Set it to https://host:port, or leave it out.");
    }

    private static void Text(ValidateOptionsResultBuilder result, string setting, string? value)
    {
        if (value is not null && value.Any(char.IsControl))
            result.AddError($"{setting} holds control characters. Use printable text.");
    }
}
