using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>How a step loop behaves.</summary>
/// <param name="Limits">What bounds sessions.</param>
/// <param name="PrefillRows">Prompt rows a turn.</param>
/// <param name="MeasuredPrefill">Prompt positions a second, measured when the blocks were loaded; 0: not measured.</param>
/// <param name="MeasuredDecode">Decode steps a second, measured when the blocks were loaded; 0: not measured.</param>
internal sealed record StepLoopOptions(SessionLimits Limits, int PrefillRows, double MeasuredPrefill = 0, double MeasuredDecode = 0);
