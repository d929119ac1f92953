using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>Registers readers of the directory.</summary>
public static class NodeDirectoryServices
{
    /// <summary>Adds a <see cref="NodeDirectoryView"/> of this node's network, kept while the host runs. Needs an <see cref="INodeDirectory"/>.</summary>
    public static IServiceCollection AddNodeDirectoryView(this IServiceCollection services)
    {
        services.AddSingleton(provider => new NodeDirectoryView(
            provider.GetRequiredService<INodeDirectory>(),
            new NodeQuery(Network: provider.GetRequiredService<IOptions<NodeOptions>>().Value.Network),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeDirectoryView>>()));
        return services.AddHostedService(provider => provider.GetRequiredService<NodeDirectoryView>());
    }
}
