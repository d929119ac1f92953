using KwaaiNet.CandelEngine.Compute.Devices;

namespace KwaaiNet.Cli.Devices;

/// <summary>One device.</summary>
/// <param name="Device">The number that <c>--device</c> takes; null for the processor.</param>
/// <param name="Backend"><c>cpu</c> or <c>ilgpu</c>.</param>
/// <param name="Kind"><c>cpu</c>, <c>cuda</c>, <c>opencl</c> or <c>cpu-accelerator</c>.</param>
/// <param name="Name">The device's own name.</param>
/// <param name="MemoryBytes">All of its memory.</param>
/// <param name="FreeBytes">What nobody has taken; null where the device does not tell.</param>
/// <param name="Architecture">What code is made for.</param>
/// <param name="Driver">What drives it.</param>
/// <param name="Units">Multiprocessors, compute units or processors.</param>
/// <param name="Auto">Whether <c>auto</c> takes it.</param>
/// <param name="Problem">Why it cannot be used.</param>
internal sealed record DeviceEntry(
    int? Device, string Backend, string Kind, string Name, long MemoryBytes, long? FreeBytes, string? Architecture, string? Driver, int? Units, bool Auto, string? Problem)
{
    public static DeviceEntry Of(ListedDevice device, bool auto) => new(
        device.Index, device.Backend, device.Device.Kind, device.Device.Name, device.Device.MemoryBytes, device.FreeBytes, device.Architecture, device.Driver, device.Units, auto, device.Problem);
}
