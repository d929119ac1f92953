using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KwaaiNet.Protocol.Transport;

/// <summary>The TLS rules of both sides of a connection between nodes.</summary>
internal static class NodeTls
{
    private static readonly TimeSpan s_handshakeTimeout = TimeSpan.FromSeconds(10);

    // TLS 1.3 alone where the platform is sure to have it; elsewhere (macOS, Windows before 11 / Server 2022) the best the platform offers.
    private static SslProtocols Protocols =>
        OperatingSystem.IsLinux() || OperatingSystem.IsWindowsVersionAtLeast(10, 0, 20348) ? SslProtocols.Tls13 : SslProtocols.None;

    /// <summary>A server that lets nodes in, whoever they are.</summary>
    public static void Configure(HttpsConnectionAdapterOptions https, X509Certificate2 certificate, TimeProvider time)
    {
        https.ServerCertificate = certificate;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.CheckCertificateRevocation = false;
        https.SslProtocols = Protocols;
        https.HandshakeTimeout = s_handshakeTimeout;
        https.ClientCertificateValidation = (shown, _, _) => NodeCertificate.TryGetNodeId(shown, time.GetUtcNow(), out string? _, out string? _);
    }

    /// <summary>A client that talks to one node only, or to any node when <paramref name="expectedNodeId"/> is null.</summary>
    public static SslClientAuthenticationOptions Client(X509Certificate2 certificate, string endpoint, string? expectedNodeId, TimeProvider time) => new()
    {
        EnabledSslProtocols = Protocols,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
        // The peer's name plays no part: its key does.
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
        {
            if (!NodeCertificate.TryGetNodeId(shown as X509Certificate2, time.GetUtcNow(), out string? nodeId, out string? reason))
                throw new AuthenticationException($"What answers at {endpoint} is not a node: {reason}.");
            if (expectedNodeId is not null && nodeId != expectedNodeId)
                throw new AuthenticationException($"The node that answers at {endpoint} is {nodeId}, not {expectedNodeId}.");
            return true;
        },
    };
}
