namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>A part of a text: what a pattern matched, or what lies between matches.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="End">The character after its last.</param>
/// <param name="IsMatch">Whether the pattern matched it.</param>
internal readonly record struct MatchedRange(int Start, int End, bool IsMatch);
