namespace KwaaiNet.CandelEngine.Compute;

/// <summary>A device failed while running blocks. The stack it happened on must be considered lost.</summary>
/// <param name="message">What failed, naming the device.</param>
/// <param name="inner">The device's own exception.</param>
public sealed class ComputeException(string message, Exception? inner = null) : Exception(message, inner);
