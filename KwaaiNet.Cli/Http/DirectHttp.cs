using System.Net;
using System.Net.NetworkInformation;

namespace KwaaiNet.Cli.Http;

/// <summary>HTTP to the nodes of one's own network: never through a proxy, which knows nothing of them. <c>http_proxy</c> is for pulls.</summary>
internal static class DirectHttp
{
    private static readonly TimeSpan s_connectPatience = TimeSpan.FromSeconds(5);

    /// <summary>A client for nodes that this command started.</summary>
    /// <param name="timeout">How long a whole request may take.</param>
    public static HttpClient ForNodes(TimeSpan timeout) => new(Handler(useProxy: false)) { Timeout = timeout };

    /// <summary>A transport for an address the user may have typed: direct to this machine, and through what is configured to any other.</summary>
    public static SocketsHttpHandler HandlerFor(Uri address) => Handler(useProxy: !IsThisMachine(address));

    private static SocketsHttpHandler Handler(bool useProxy) => new() { UseProxy = useProxy, ConnectTimeout = s_connectPatience };

    private static bool IsThisMachine(Uri address) => address.IsLoopback
        || (IPAddress.TryParse(address.DnsSafeHost, out IPAddress? host)
            && NetworkInterface.GetAllNetworkInterfaces().Any(card => card.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(host))));
}
