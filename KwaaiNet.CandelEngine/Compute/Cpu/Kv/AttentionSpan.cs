namespace KwaaiNet.CandelEngine.Compute.Cpu.Kv;

/// <summary>The positions that a query attends to, and what becomes of its scores before softmax.</summary>
/// <param name="First">First position.</param>
/// <param name="End">One past the last position.</param>
/// <param name="Scale">Multiplies scores.</param>
/// <param name="Softcap">Scores s become <c>cap · tanh(s / cap)</c> after that; 0 for no cap.</param>
internal readonly record struct AttentionSpan(int First, int End, float Scale, float Softcap);
