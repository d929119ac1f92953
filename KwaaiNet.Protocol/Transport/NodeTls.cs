using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KwaaiNet.Protocol.Transport;

/// <summary>The TLS rules of a connection between nodes. The server's side is set up by the hosts (<c>ServiceDefaults</c>).</summary>
public static class NodeTls
{
    /// <summary>TLS 1.3 alone where the platform is sure to have it; elsewhere (macOS, Windows before 11 / Server 2022) the best the platform offers.</summary>
    public static SslProtocols Protocols =>
        OperatingSystem.IsLinux() || OperatingSystem.IsWindowsVersionAtLeast(10, 0, 20348) ? SslProtocols.Tls13 : SslProtocols.None;

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
