using System.Globalization;

namespace KwaaiNet.AppHost.Settings;

/// <summary>What the resources and their endpoints are called.</summary>
internal static class ResourceNames
{
    /// <summary>The discovery service.</summary>
    public const string Discovery = "discovery";

    /// <summary>Where discovery keeps its records; also the name of its connection string.</summary>
    public const string Registry = "registry";

    /// <summary>The OpenAI API.</summary>
    public const string Api = "api";

    /// <summary>The endpoint of a host that speaks HTTP/1.</summary>
    public const string Http = "http";

    /// <summary>The endpoint of a host that speaks gRPC.</summary>
    public const string Grpc = "grpc";

    /// <summary>The path under which a host says whether it can take work.</summary>
    public const string Health = "/health";

    private const string ShardPrefix = "shard-";

    /// <summary>A shard node, from 1 on.</summary>
    public static string Shard(int number) => ShardPrefix + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a resource is a shard node.</summary>
    public static bool IsShard(IResource resource) => resource.Name.StartsWith(ShardPrefix, StringComparison.Ordinal);
}
