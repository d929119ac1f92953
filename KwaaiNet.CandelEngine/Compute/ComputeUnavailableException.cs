namespace KwaaiNet.CandelEngine.Compute;

/// <summary>No device of the kind asked for can be used on this machine. The message says what was looked for and what to do.</summary>
/// <param name="message">What is missing, and the remedy.</param>
/// <param name="inner">The driver's own exception, if it gave one.</param>
public sealed class ComputeUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
