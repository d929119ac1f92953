using KwaaiNet.CandelEngine.Compute.Devices;

namespace KwaaiNet.Cli.Devices;

/// <summary>What <c>kwaainet devices --json</c> writes.</summary>
/// <param name="Auto">What the backend <c>auto</c> takes.</param>
/// <param name="Devices">The devices.</param>
/// <param name="Problems">What keeps kinds of devices from being seen.</param>
internal sealed record DeviceReport(AutoReport Auto, IReadOnlyList<DeviceEntry> Devices, IReadOnlyList<DriverProblem> Problems)
{
    public static DeviceReport Of(DeviceList list) => new(
        new AutoReport(list.Auto.Backend, list.Auto.Index, list.AutoReason), [.. list.Devices.Select(device => DeviceEntry.Of(device, device == list.Auto))], list.Problems);
}
