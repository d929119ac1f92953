namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>The tokens that synthetic models are compared on.</summary>
internal static class ProbePrompt
{
    /// <summary>Tokens in the prompt.</summary>
    public const int Length = 96;

    /// <summary>The token ids: neither control tokens nor a pattern that attention could fall in step with.</summary>
    public static int[] Tokens { get; } = [.. Enumerable.Range(0, Length).Select(i => 3 + (17 + (i * 7919)) % (SyntheticVocabulary.Size - 3))];
}
