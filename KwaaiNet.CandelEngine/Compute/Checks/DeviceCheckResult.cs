using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Checks;

/// <summary>What a device made of one small model.</summary>
/// <param name="Weights">How the model's matrices are stored.</param>
/// <param name="RelativeError">Root mean square of the logits' differences to plain loops on the processor, over the root mean square of the logits.</param>
/// <param name="Bound">The error that rounding explains.</param>
/// <param name="SameBits">Whether a prompt at once, token by token, and beside other sessions gave the same bits.</param>
/// <param name="Problem">What the device threw; null where it ran.</param>
public sealed record DeviceCheckResult(GgmlType Weights, double RelativeError, double Bound, bool SameBits, string? Problem)
{
    /// <summary>Whether the device computes what it should.</summary>
    public bool Passed => Problem is null && SameBits && RelativeError <= Bound;
}
