namespace KwaaiNet.CandelEngine.Quantization.Blocks;

/// <summary>Numbers cannot be stored in the format that was asked for: NaN, infinite, or beyond what its scale holds.</summary>
public sealed class QuantizationException(string message) : Exception(message);
