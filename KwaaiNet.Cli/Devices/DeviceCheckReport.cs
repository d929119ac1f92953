using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Devices;

/// <summary>One line of <c>kwaainet devices --check --json</c>.</summary>
/// <param name="Device">The accelerator's number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Weights">How the model's matrices are stored.</param>
/// <param name="Passed">Whether the device computes what it should.</param>
/// <param name="RelativeError">Of the logits, to plain loops on the processor; not a number where it threw.</param>
/// <param name="Bound">What rounding explains.</param>
/// <param name="SameBits">Whether prefill, decode and batches agree to the bit.</param>
/// <param name="Problem">What it threw.</param>
internal sealed record DeviceCheckReport(
    int Device,
    string Name,
    string Weights,
    bool Passed,
    [property: JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)] double RelativeError,
    double Bound,
    bool SameBits,
    string? Problem);
