namespace KwaaiNet.Fuzz.Campaigns;

/// <summary>An input that broke a rule.</summary>
/// <param name="Target">The reader.</param>
/// <param name="Seed">The campaign's seed.</param>
/// <param name="Index">The input's number in it.</param>
/// <param name="Input">The input.</param>
/// <param name="Problem">The rule and how it was broken.</param>
internal sealed record FuzzFailure(string Target, ulong Seed, long Index, byte[] Input, string Problem)
{
    public override string ToString() => $"{Target}, seed {Seed}, input {Index} ({Input.Length} bytes): {Problem}";
}
