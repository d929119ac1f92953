namespace KwaaiNet.CandelEngine.Files;

/// <summary>A model file is truncated, lies about itself, or uses something this engine does not run. The message names the file and the part.</summary>
/// <param name="message">What is wrong, where, and what would be right.</param>
/// <param name="inner">The cause, if another exception showed it.</param>
public sealed class ModelFormatException(string message, Exception? inner = null) : Exception(message, inner);
