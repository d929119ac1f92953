namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>Launches could not be recorded. They can still be made one by one.</summary>
/// <param name="message">Why.</param>
/// <param name="inner">The driver's own exception, if it gave one.</param>
internal sealed class LaunchRecordingException(string message, Exception? inner = null) : Exception(message, inner);
