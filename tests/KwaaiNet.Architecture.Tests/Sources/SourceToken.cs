namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>An identifier or keyword, or a sign.</summary>
/// <param name="Text">As it is written; a string, a character or a number by a sign that stands for it.</param>
/// <param name="IsName">Whether it is an identifier or a keyword.</param>
internal readonly record struct SourceToken(string Text, bool IsName);
