namespace KwaaiNet.CandelEngine.Text;

/// <summary>A text that a model's tokenizer cannot cut into tokens within its limits: the fault is the text's, not the model file's.</summary>
/// <param name="message">What the text does, and what to change about it.</param>
/// <param name="inner">The cause.</param>
public sealed class TokenizationException(string message, Exception? inner = null) : Exception(message, inner);
