using System.Text;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>One token a byte, then BOS and the end token.</summary>
internal sealed class FakeTokenizer : ITokenizer
{
    public const int Bos = 256;
    public const int End = 257;

    private static readonly byte[][] s_bytes = [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b })];

    /// <summary>What encoding a text throws.</summary>
    public Func<string, Exception?> Defeat { get; init; } = _ => null;

    public int VocabularySize => 258;

    public int? BosId => Bos;

    public bool AddBos => true;

    public IReadOnlySet<int> EndOfGenerationIds { get; } = new HashSet<int> { End };

    public int[] Encode(string text, bool parseSpecial = false) => Defeat(text) is { } defeat ? throw defeat : [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    public ReadOnlySpan<byte> GetBytes(int id, bool renderSpecial = false) => (uint)id < 256 ? s_bytes[id] : [];

    public string Decode(ReadOnlySpan<int> ids, bool renderSpecial = false) =>
        Encoding.UTF8.GetString([.. ids.ToArray().Where(id => id < 256).Select(id => (byte)id)]);

    public StreamingDecoder CreateStreamingDecoder() => new(this);
}
