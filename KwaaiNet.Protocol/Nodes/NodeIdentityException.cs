namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node's key file cannot be used.</summary>
/// <param name="message">Which file, what is wrong with it and what to do.</param>
/// <param name="inner">The file system's own exception.</param>
public sealed class NodeIdentityException(string message, Exception? inner = null) : Exception(message, inner);
