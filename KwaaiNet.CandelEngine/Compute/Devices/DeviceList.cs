namespace KwaaiNet.CandelEngine.Compute.Devices;

/// <summary>What this machine can compute on.</summary>
/// <param name="Devices">The processor, then ILGPU's accelerators in the order of their numbers: CUDA, OpenCL, and its CPU accelerator last.</param>
/// <param name="Problems">What keeps a kind of device from being seen at all, each with the remedy: a driver that is missing, or finds nothing.</param>
/// <param name="Auto">The device that the backend <c>auto</c> takes.</param>
/// <param name="AutoReason">Why that one.</param>
public sealed record DeviceList(IReadOnlyList<ListedDevice> Devices, IReadOnlyList<DriverProblem> Problems, ListedDevice Auto, string AutoReason);
