namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>A piece of a text on its way to the model.</summary>
/// <param name="Text">Its characters, as changed so far.</param>
/// <param name="AtStart">Whether it began where the whole text begins.</param>
internal readonly record struct Word(ReadOnlyMemory<char> Text, bool AtStart);
