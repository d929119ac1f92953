using System.Net;

namespace KwaaiNet.ServiceDefaults;

/// <summary>The proxy that the environment names, for everything but this machine: what runs here is not reached by way of another.</summary>
/// <param name="configured">What <c>http_proxy</c> and its like say.</param>
internal sealed class OwnMachineProxy(IWebProxy configured) : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials { get => configured.Credentials; set => configured.Credentials = value; }

    /// <summary>Makes it the proxy of all clients of this process that name none.</summary>
    public static void Use()
    {
        if (HttpClient.DefaultProxy is not OwnMachineProxy)
            HttpClient.DefaultProxy = new OwnMachineProxy(HttpClient.DefaultProxy);
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : configured.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.IsLoopback || configured.IsBypassed(host);
    }
}
