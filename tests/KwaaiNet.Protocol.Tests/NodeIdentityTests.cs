using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Tests;

public sealed class NodeIdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kwaainet-identity-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // https://w3c-ccg.github.io/did-key-spec/#ed25519-x25519
    [Theory]
    [InlineData("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp")]
    [InlineData("did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG")]
    [InlineData("did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf")]
    public void Published_node_ids_survive_a_round_trip(string nodeId)
    {
        byte[] key = new byte[32];
        Assert.True(NodeId.TryGetPublicKey(nodeId, key));
        Assert.Equal(nodeId, NodeId.FromPublicKey(key));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("did:key:z")]
    [InlineData("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW")]
    [InlineData("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWpp")]
    [InlineData("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW0")]
    [InlineData("did:web:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp")]
    [InlineData("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc")]
    [InlineData("did:key:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    public void Anything_else_is_no_node_id(string? nodeId) => Assert.False(NodeId.IsValid(nodeId));

    // RFC 8032 section 7.1, test 2.
    [Fact]
    public void Signatures_are_those_of_the_standard()
    {
        byte[] publicKey = Convert.FromHexString("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        byte[] signature = Convert.FromHexString(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
        Assert.True(NodeIdentity.Verify(NodeId.FromPublicKey(publicKey), [0x72], signature));
        Assert.False(NodeIdentity.Verify(NodeId.FromPublicKey(publicKey), [0x73], signature));
    }

    [Fact]
    public void A_stored_identity_is_the_same_after_a_restart()
    {
        string path = Path.Combine(_folder, "home", "identity.key");
        using NodeIdentity first = NodeIdentity.LoadOrCreate(path);
        using NodeIdentity second = NodeIdentity.LoadOrCreate(path);
        Assert.Equal(first.NodeId, second.NodeId);
        Assert.True(NodeIdentity.Verify(first.NodeId, [1, 2, 3], second.Sign([1, 2, 3])));
        Assert.Equal(["identity.key"], Directory.GetFiles(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task Many_processes_that_make_the_key_at_once_agree()
    {
        string path = Path.Combine(_folder, "identity.key");
        string[] ids = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
        {
            using NodeIdentity identity = NodeIdentity.LoadOrCreate(path);
            return identity.NodeId;
        })));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public void Every_damage_to_the_key_file_is_noticed_and_named()
    {
        string path = Path.Combine(_folder, "identity.key");
        NodeIdentity.LoadOrCreate(path).Dispose();
        byte[] good = File.ReadAllBytes(path);
        List<byte[]> damaged = [[], [.. good, 0], good[..^1]];
        for (int i = 0; i < good.Length; i++)
        {
            byte[] flipped = [.. good];
            flipped[i] ^= 1;
            damaged.Add(flipped);
        }

        foreach (byte[] file in damaged)
        {
            File.WriteAllBytes(path, file);
            NodeIdentityException error = Assert.Throws<NodeIdentityException>(() => NodeIdentity.LoadOrCreate(path));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }
}
