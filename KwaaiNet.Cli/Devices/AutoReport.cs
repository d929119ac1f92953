namespace KwaaiNet.Cli.Devices;

/// <summary>What <c>auto</c> takes.</summary>
/// <param name="Backend"><c>cpu</c> or <c>ilgpu</c>.</param>
/// <param name="Device">The accelerator's number; null for the processor.</param>
/// <param name="Reason">Why.</param>
internal sealed record AutoReport(string Backend, int? Device, string Reason);
