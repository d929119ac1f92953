namespace KwaaiNet.Fuzz.Mutation;

/// <summary>A valid input from which damaged ones are made.</summary>
/// <param name="Name">What it is, for messages.</param>
/// <param name="Bytes">The input.</param>
/// <param name="Fields">Where lengths, counts, types and offsets stand: damage there goes deepest.</param>
internal sealed record FuzzSeed(string Name, byte[] Bytes, IReadOnlyList<int> Fields)
{
    /// <summary>Whether it is after the reader's time or memory: read as it is once a campaign, since a thousand damaged copies take hours.</summary>
    public bool IsHeavy { get; init; }

    /// <summary>An input of text, without fields.</summary>
    public static FuzzSeed Text(string name, string text) => new(name, System.Text.Encoding.UTF8.GetBytes(text), []);
}
