using KwaaiNet.Protocol.Discovery;

namespace KwaaiNet.Discovery.Map;

/// <summary><c>GET /network</c>: the network map, read-only.</summary>
internal static class NetworkMapEndpoint
{
    public const string Path = "/network";

    public static void Map(WebApplication app) => app.MapGet(Path, (NodeDirectoryView view, TimeProvider time) =>
        Results.Json(NetworkMapDrawer.Draw(view.Current, time.GetUtcNow()), NetworkMapJson.Default.NetworkMap));
}
