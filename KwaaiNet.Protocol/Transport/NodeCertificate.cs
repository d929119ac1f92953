using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Transport;

/// <summary>The TLS certificate that carries a node's identity, as in the libp2p TLS 1.3 specification (https://github.com/libp2p/specs/blob/master/tls/tls.md).</summary>
/// <remarks>
/// The certificate's own key is an ECDSA P-256 key made for this process; an extension holds the node's Ed25519 key and its signature
/// over that key. Nobody else vouches for anything: no authority, no names.
/// </remarks>
// Extension 1.3.6.1.4.1.53594.1.1:
//   SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
//   publicKey = libp2p's protobuf PublicKey { Type = 1 (Ed25519), Data = 32 bytes } = 08 01 12 20 <32 bytes>
//   signature = Ed25519 over "libp2p-tls-handshake:" and the certificate's SubjectPublicKeyInfo in DER
public static class NodeCertificate
{
    /// <summary>The extension that holds the node's identity.</summary>
    public const string ExtensionOid = "1.3.6.1.4.1.53594.1.1";

    private const int MaxCertificateBytes = 16 * 1024;
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    // A node's certificate lives as long as its process; the dates are wide so that no clock refuses it.
    private static readonly DateTimeOffset s_notBefore = new(1975, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_notAfter = new(4096, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static ReadOnlySpan<byte> KeyHeader => [0x08, 0x01, 0x12, 0x20];

    private static ReadOnlySpan<byte> SignaturePrefix => "libp2p-tls-handshake:"u8;

    /// <summary>Makes a certificate with a fresh key that carries <paramref name="identity"/>.</summary>
    public static X509Certificate2 Create(NodeIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=KwaaiNet node", key, HashAlgorithmName.SHA256);
        byte[] signature = identity.Sign([.. SignaturePrefix, .. key.ExportSubjectPublicKeyInfo()]);
        request.CertificateExtensions.Add(new X509Extension(ExtensionOid, Encode(identity.PublicKey(), signature), critical: false));
        X509Certificate2 certificate = request.CreateSelfSigned(s_notBefore, s_notAfter);
        if (!OperatingSystem.IsWindows())
            return certificate;

        // SChannel cannot use a key that was never imported: "No credentials are available in the security package".
        // https://github.com/dotnet/runtime/issues/23749; goes when SslStream takes ephemeral keys on Windows.
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
    }

    /// <summary>Reads and checks the identity in a peer's certificate.</summary>
    /// <param name="certificate">The certificate the peer showed; TLS has proved that the peer holds its key.</param>
    /// <param name="now">When the certificate must be valid.</param>
    /// <param name="nodeId">The did:key of the peer.</param>
    /// <param name="reason">Why the certificate is not believed.</param>
    public static bool TryGetNodeId(
        X509Certificate2? certificate, DateTimeOffset now, [NotNullWhen(true)] out string? nodeId, [NotNullWhen(false)] out string? reason)
    {
        nodeId = null;
        try
        {
            reason = certificate is null ? "no certificate was shown" : Check(certificate, now, out nodeId);
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException)
        {
            reason = $"the certificate is malformed ({error.Message})";
        }

        if (reason is not null)
            nodeId = null;
        return reason is null;
    }

    private static string? Check(X509Certificate2 certificate, DateTimeOffset now, out string? nodeId)
    {
        nodeId = null;
        if (certificate.RawDataMemory.Length > MaxCertificateBytes)
            return $"the certificate is larger than {MaxCertificateBytes} bytes";
        if (now.UtcDateTime < certificate.NotBefore.ToUniversalTime() || now.UtcDateTime > certificate.NotAfter.ToUniversalTime())
            return $"the certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u} only";
        X509Extension? identity = null;
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == ExtensionOid)
            {
                if (identity is not null)
                    return "the identity extension is there twice";
                identity = extension;
            }
            else if (extension.Critical && extension.Oid?.Value is not ("2.5.29.15" or "2.5.29.19" or "2.5.29.37"))
            {
                return $"the critical extension {extension.Oid?.Value} is not understood";
            }
        }

        if (identity is null)
            return "the certificate carries no node identity";
        if (!HasOwnSignature(certificate))
            return "the certificate's own signature is wrong, or not ECDSA P-256 with SHA-256";
        return CheckIdentity(identity.RawData, certificate.PublicKey.ExportSubjectPublicKeyInfo(), out nodeId);
    }

    /// <summary>Parses the extension's content and checks its signature over <paramref name="subjectPublicKeyInfo"/>; null when it is right.</summary>
    internal static string? CheckIdentity(ReadOnlyMemory<byte> extension, ReadOnlySpan<byte> subjectPublicKeyInfo, out string? nodeId)
    {
        nodeId = null;
        AsnReader reader = new(extension, AsnEncodingRules.DER);
        AsnReader signedKey = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        byte[] publicKey = signedKey.ReadOctetString();
        byte[] signature = signedKey.ReadOctetString();
        signedKey.ThrowIfNotEmpty();
        if (publicKey.Length != KeyHeader.Length + NodeId.PublicKeyBytes || !publicKey.AsSpan().StartsWith(KeyHeader))
            return "the identity is not an Ed25519 key";
        string candidate = NodeId.FromPublicKey(publicKey.AsSpan(KeyHeader.Length));
        if (!NodeIdentity.Verify(candidate, [.. SignaturePrefix, .. subjectPublicKeyInfo], signature))
            return "the identity did not sign the certificate's key";
        nodeId = candidate;
        return null;
    }

    private static byte[] Encode(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> signature)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString([.. KeyHeader, .. publicKey]);
            writer.WriteOctetString(signature);
        }

        return writer.Encode();
    }

    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID … }, signatureValue BIT STRING }
    private static bool HasOwnSignature(X509Certificate2 certificate)
    {
        AsnReader reader = new(certificate.RawDataMemory, AsnEncodingRules.DER);
        AsnReader sequence = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        ReadOnlyMemory<byte> signed = sequence.ReadEncodedValue();
        AsnReader algorithm = sequence.ReadSequence();
        bool known = algorithm.ReadObjectIdentifier() == EcdsaWithSha256;
        byte[] signature = sequence.ReadBitString(out int unusedBits);
        sequence.ThrowIfNotEmpty();
        if (!known || unusedBits != 0)
            return false;
        using ECDsa? key = certificate.GetECDsaPublicKey();
        return key is { KeySize: 256 } && key.VerifyData(signed.Span, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}
