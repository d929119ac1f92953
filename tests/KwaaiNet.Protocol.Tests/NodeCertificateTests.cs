using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;

namespace KwaaiNet.Protocol.Tests;

public sealed class NodeCertificateTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly NodeIdentity _identity = NodeIdentity.Create();

    public void Dispose() => _identity.Dispose();

    [Fact]
    public void A_certificate_carries_its_node()
    {
        using X509Certificate2 certificate = NodeCertificate.Create(_identity);
        using X509Certificate2 shown = X509CertificateLoader.LoadCertificate(certificate.RawData);
        Assert.True(NodeCertificate.TryGetNodeId(shown, s_now, out string? nodeId, out _));
        Assert.Equal(_identity.NodeId, nodeId);
        Assert.True(certificate.HasPrivateKey);
    }

    // Test vector 1 of https://github.com/libp2p/specs/blob/master/tls/tls.md: a valid certificate of an Ed25519 peer.
    [Fact]
    public void The_specification_s_own_certificate_is_read()
    {
        byte[] der = Convert.FromHexString(
            "308201ae30820156a0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f310a300806035504051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355040a13096c69627032702e696f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37e381569ea37c307a3078060a2b0601040183a25a0101046a3068042408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b90440d90d2769db992d5e6195dbb08e706b6651e024fda6cfb8846694a435519941cac215a8207792e42849cccc6cd8136c6e4bde92a58c5e08cfd4206eb5fe0bf909300a06082a8648ce3d0403020346003043021f50f6b6c52711a881778718238f650c9fb48943ae6ee6d28427dc6071ae55e702203625f116a7a454db9c56986c82a25682f7248ea1cb764d322ea983ed36a31b77");
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
        Assert.True(NodeCertificate.TryGetNodeId(certificate, s_now, out string? nodeId, out string? reason), reason);
        byte[] key = Convert.FromHexString("a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b9");
        Assert.Equal(NodeId.FromPublicKey(key), nodeId);
    }

    [Fact]
    public void No_certificate_and_a_plain_one_are_refused_with_a_reason()
    {
        Assert.False(NodeCertificate.TryGetNodeId(null, s_now, out _, out string? reason));
        Assert.NotEmpty(reason);
        using X509Certificate2 plain = Certificate(_ => null);
        Assert.False(NodeCertificate.TryGetNodeId(plain, s_now, out _, out reason));
        Assert.Contains("no node identity", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_identity_copied_into_another_certificate_is_refused()
    {
        using X509Certificate2 original = NodeCertificate.Create(_identity);
        byte[] stolen = original.Extensions.Single(e => e.Oid?.Value == NodeCertificate.ExtensionOid).RawData;
        using X509Certificate2 copy = Certificate(_ => stolen);
        Assert.False(NodeCertificate.TryGetNodeId(copy, s_now, out string? nodeId, out string? reason));
        Assert.Null(nodeId);
        Assert.Contains("did not sign", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Dates_are_held_against_the_clock()
    {
        using X509Certificate2 certificate = NodeCertificate.Create(_identity);
        Assert.False(NodeCertificate.TryGetNodeId(certificate, new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero), out _, out _));
        Assert.False(NodeCertificate.TryGetNodeId(certificate, new DateTimeOffset(5000, 1, 1, 0, 0, 0, TimeSpan.Zero), out _, out _));
    }

    [Fact]
    public void Bytes_after_the_extension_and_indefinite_lengths_are_refused()
    {
        using X509Certificate2 longer = Certificate(key => [.. Extension(key), 0x05, 0x00]);
        Assert.False(NodeCertificate.TryGetNodeId(longer, s_now, out _, out _));
        using X509Certificate2 right = Certificate(Extension);
        Assert.True(NodeCertificate.TryGetNodeId(right, s_now, out _, out string? reason), reason);
        using X509Certificate2 ber = Certificate(key => [0x30, 0x80, .. Extension(key).AsSpan(2), 0x00, 0x00]);
        Assert.False(NodeCertificate.TryGetNodeId(ber, s_now, out _, out _));
    }

    [Fact]
    public void Damaged_certificates_are_refused_and_never_anything_else_happens()
    {
        using X509Certificate2 good = NodeCertificate.Create(_identity);
        byte[] der = good.RawData;
        Random random = new(20260103);
        int parsed = 0;
        for (int round = 0; round < 3_000; round++)
        {
            byte[] bytes = [.. der];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            X509Certificate2 certificate;
            try
            {
                certificate = X509CertificateLoader.LoadCertificate(bytes);
            }
            catch (CryptographicException)
            {
                continue;
            }

            using (certificate)
            {
                parsed++;
                if (NodeCertificate.TryGetNodeId(certificate, s_now, out string? nodeId, out _))
                    Assert.Equal(_identity.NodeId, nodeId);
            }
        }

        Assert.True(parsed > 0);
    }

    [Fact]
    public void Damaged_extensions_are_refused_and_never_anything_else_happens()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] good = Extension(key);
        byte[] info = key.ExportSubjectPublicKeyInfo();
        Random random = new(20260104);
        for (int round = 0; round < 5_000; round++)
        {
            byte[] bytes = [.. good];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            bytes = bytes[..random.Next(bytes.Length + 1)];
            try
            {
                string? reason = NodeCertificate.CheckIdentity(bytes, info, out string? nodeId);
                Assert.True(reason is not null || nodeId == _identity.NodeId);
            }
            catch (AsnContentException)
            {
            }
        }
    }

    private byte[] Extension(ECDsa key)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString([0x08, 0x01, 0x12, 0x20, .. _identity.PublicKey()]);
            writer.WriteOctetString(_identity.Sign([.. "libp2p-tls-handshake:"u8, .. key.ExportSubjectPublicKeyInfo()]));
        }

        return writer.Encode();
    }

    private static X509Certificate2 Certificate(Func<ECDsa, byte[]?> extension)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=test", key, HashAlgorithmName.SHA256);
        if (extension(key) is byte[] content)
            request.CertificateExtensions.Add(new X509Extension(NodeCertificate.ExtensionOid, content, critical: false));
        return request.CreateSelfSigned(s_now.AddDays(-1), s_now.AddDays(1));
    }
}
