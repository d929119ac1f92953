namespace KwaaiNet.Cli.Bench;

/// <summary>What <c>kwaainet bench parity</c> runs.</summary>
/// <param name="ModelPath">The model file.</param>
/// <param name="Backend"><c>ilgpu</c> or <c>auto</c>.</param>
/// <param name="Device">The accelerator's number; null for the first GPU.</param>
/// <param name="Prompt">Tokens in the made-up prompt.</param>
/// <param name="Text">A prompt in words; null for the made-up one.</param>
/// <param name="Generate">Tokens compared after it.</param>
internal sealed record EngineParityOptions(string ModelPath, string Backend, int? Device, int Prompt, string? Text, int Generate);
