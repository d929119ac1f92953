using KwaaiNet.Discovery.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Discovery.Backends;

/// <summary>Makes the backend that the options name.</summary>
internal static class DirectoryBackends
{
    public static IDirectoryBackend Create(IServiceProvider services)
    {
        DiscoveryOptions options = services.GetRequiredService<IOptions<DiscoveryOptions>>().Value;
        IConfiguration configuration = services.GetRequiredService<IConfiguration>();
        TimeProvider time = services.GetRequiredService<TimeProvider>();
        ILoggerFactory loggers = services.GetRequiredService<ILoggerFactory>();
        return DiscoveryOptionsValidator.Backend(options, configuration) == "redis"
            ? RedisDirectory.Connect(configuration.GetConnectionString(DiscoveryOptions.ConnectionName)!, options.MaxNodes, time, loggers)
            : EmbeddedDirectory.Start(options.MaxNodes, time, loggers);
    }
}
