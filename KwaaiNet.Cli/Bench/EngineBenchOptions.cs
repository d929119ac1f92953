using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.Cli.Bench;

/// <summary>What <c>kwaainet bench engine</c> runs.</summary>
/// <param name="ModelPath">The model file.</param>
/// <param name="Backend"><c>cpu</c>, <c>ilgpu</c> or <c>auto</c>.</param>
/// <param name="Device">The accelerator's number; null for the first GPU.</param>
/// <param name="Threads">Threads that compute; 0 for as many as the machine has.</param>
/// <param name="Prompt">Tokens in the prompt, at least 1.</param>
/// <param name="Generate">Tokens decoded after it, at least 1.</param>
/// <param name="Batch">Sessions decoded together, at least 1.</param>
/// <param name="KvFormat">How keys and values are kept.</param>
internal sealed record EngineBenchOptions(string ModelPath, string Backend, int? Device, int Threads, int Prompt, int Generate, int Batch, KvFormat KvFormat);
