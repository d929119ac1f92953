namespace KwaaiNet.Cli.Logs;

/// <summary>One line of one node's log.</summary>
/// <param name="Node">Who wrote it.</param>
/// <param name="Text">The line as it stands in the file; it begins with its time, so lines compare as text.</param>
internal sealed record LogLine(string Node, string Text);
