using KwaaiNet.CandelEngine.Compute.Ilgpu;

namespace KwaaiNet.CandelEngine.Compute.Checks;

/// <summary>Measures how fast a backend's device reads its own memory.</summary>
public static class DeviceBandwidth
{
    /// <summary>Sweeps a buffer on the device that no cache of it holds.</summary>
    /// <param name="backend">The backend. Half of the device's free memory, and at most 4 GiB, is taken for a moment.</param>
    /// <returns>Bytes a second; null for the processor, whose threads are the caller's to use.</returns>
    /// <exception cref="ComputeException">The device failed.</exception>
    public static double? Measure(IComputeBackend backend)
    {
        if (backend is not IlgpuBackend ilgpu) return null;

        try
        {
            return BandwidthProbe.Measure(ilgpu.Opened);
        }
        catch (ILGPU.Runtime.AcceleratorException e)
        {
            throw new ComputeException($"{backend.Device.Name} failed while its memory was read: {e.Message}", e);
        }
    }
}
