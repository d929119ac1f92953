using System.Security.Cryptography.X509Certificates;
using KwaaiNet.Protocol.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>The server's side of <see cref="NodeTls"/>, for Kestrel.</summary>
internal static class NodeServerTls
{
    private static readonly TimeSpan s_handshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A server that lets nodes in, whoever they are.</summary>
    public static void Configure(HttpsConnectionAdapterOptions https, X509Certificate2 certificate, TimeProvider time)
    {
        https.ServerCertificate = certificate;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.CheckCertificateRevocation = false;
        https.SslProtocols = NodeTls.Protocols;
        https.HandshakeTimeout = s_handshakeTimeout;
        https.ClientCertificateValidation = (shown, _, _) => NodeCertificate.TryGetNodeId(shown, time.GetUtcNow(), out string? _, out string? _);
    }
}
