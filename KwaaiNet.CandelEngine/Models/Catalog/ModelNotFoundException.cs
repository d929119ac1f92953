namespace KwaaiNet.CandelEngine.Models.Catalog;

/// <summary>No model goes by a name, or several do. The message lists the models there are and the folders searched.</summary>
/// <param name="name">What was asked for.</param>
/// <param name="message">Why it is not found, and what to do.</param>
public sealed class ModelNotFoundException(string name, string message) : Exception(message)
{
    /// <summary>What was asked for.</summary>
    public string Name { get; } = name;
}
