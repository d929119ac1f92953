namespace KwaaiNet.CandelEngine.Text;

/// <summary>A chat template could not be parsed, raised an error of its own, went beyond its limits, or left nothing of a conversation.</summary>
/// <param name="message">What went wrong; for <c>raise_exception</c>, the template's own words.</param>
public sealed class ChatTemplateException(string message) : Exception(message);
