using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.Protocol.Tests;

public sealed class PageHashChainTests
{
    private static readonly int[] s_tokens = [.. Enumerable.Range(0, 200).Select(i => i * 7)];

    [Fact]
    public void Hashes_are_those_that_the_definition_gives() => Assert.Equal(
        // Python: h = sha256(b"kwaainet-kv-pages-v1\0" + sha256(b"aa") + sha256(b"scope")); h = sha256(h + 64 tokens as <i4) for each page; the first 16 bytes of each.
        "a40fc79c8c49af903d18d32801f84edca60b74e0899ea3b3b01025ba1e1cda7d81f0bd8b097585b7f33b0d036bad1b24", Hex(Chain("aa", "scope", s_tokens)));

    [Fact]
    public void Only_whole_pages_are_hashed()
    {
        Assert.Equal(0, Chain("aa", "", s_tokens[..63]).Count);
        Assert.Equal(1, Chain("aa", "", s_tokens[..64]).Count);
        Assert.Equal(3, Chain("aa", "", s_tokens).Count);
    }

    [Fact]
    public void A_conversation_that_goes_on_keeps_its_hashes()
    {
        PageHashChain chain = Chain("aa", "", s_tokens[..100]);
        chain.Extend(s_tokens);
        Assert.Equal(Hex(Chain("aa", "", s_tokens)), Hex(chain));
    }

    [Fact]
    public void Other_weights_another_scope_or_an_earlier_token_change_every_hash_behind()
    {
        string hashes = Hex(Chain("aa", "b", s_tokens));
        int[] changed = [.. s_tokens];
        changed[70] ^= 1;
        string[] others = [Hex(Chain("ab", "b", s_tokens)), Hex(Chain("aa", "c", s_tokens)), Hex(Chain("a", "ab", s_tokens))];
        Assert.All(others, other => Assert.NotEqual(hashes[..32], other[..32]));
        string later = Hex(Chain("aa", "b", changed));
        Assert.Equal(hashes[..32], later[..32]);
        Assert.NotEqual(hashes[32..64], later[32..64]);
        Assert.NotEqual(hashes[64..], later[64..]);
    }

    [Fact]
    public void A_hash_is_read_as_it_was_written()
    {
        PageHashChain chain = Chain("aa", "", s_tokens);
        byte[] bytes = chain.ToBytes(2);
        Assert.Equal(2 * PageHash.Length, bytes.Length);
        Assert.Equal([chain[0], chain[1]], [PageHash.Read(bytes, 0), PageHash.Read(bytes, 1)]);
    }

    private static string Hex(PageHashChain chain) => Convert.ToHexStringLower(chain.ToBytes(chain.Count));

    private static PageHashChain Chain(string weights, string scope, int[] tokens)
    {
        PageHashChain chain = new(weights, scope);
        chain.Extend(tokens);
        return chain;
    }
}
