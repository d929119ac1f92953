using System.Security.Cryptography.X509Certificates;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>This process's certificate, made once for server and client.</summary>
internal sealed class NodeOwnCertificate(NodeIdentity identity) : IDisposable
{
    public X509Certificate2 Certificate { get; } = NodeCertificate.Create(identity);

    public void Dispose() => Certificate.Dispose();
}
