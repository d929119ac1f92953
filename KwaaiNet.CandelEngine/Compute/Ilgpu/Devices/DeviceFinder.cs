using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using KwaaiNet.CandelEngine.Compute.Devices;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

/// <summary>Finds what ILGPU can see on this machine.</summary>
internal static class DeviceFinder
{
    /// <summary>Devices in the order of their numbers: CUDA, OpenCL's graphics processors, its other devices, ILGPU's CPU accelerator.</summary>
    /// <param name="problems">Says why a kind of device is not there.</param>
    internal static IReadOnlyList<FoundDevice> Find(List<DriverProblem> problems)
    {
        DriverLibrary.Prepare();

        // ILGPU hides whatever these meet: an API without a driver has no devices.
        FoundDevice[] cuda = [.. CudaDevice.GetDevices(_ => true).Select(device => new FoundDevice(device))];
        FoundDevice[] opencl = [.. CLDevice.GetDevices(_ => true).OfType<CLDevice>()
            .OrderBy(device => device.DeviceType == CLDeviceType.CL_DEVICE_TYPE_GPU ? 0 : 1)
            .Select(device => new FoundDevice(device))];
        if (cuda.Length == 0) problems.Add(NoCuda());
        if (opencl.Length == 0) problems.Add(NoOpenCl());
        return [.. cuda, .. opencl, new FoundDevice(null)];
    }

    private static DriverProblem NoCuda() => OperatingSystem.IsMacOS()
        ? new DriverProblem("CUDA", "there is no CUDA on macOS.", "Nothing can be done; OpenCL or the processor is used.")
        : DriverLibrary.HasCuda
            ? new DriverProblem(
                "CUDA",
                "the driver's library is here and finds no device.",
                "Check that 'nvidia-smi' lists the card; in a container, that it was given the card (docker run --gpus all).")
            : new DriverProblem(
                "CUDA",
                $"there is no driver: {(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1")} was not found.",
                "With an NVIDIA card, install its driver (the CUDA toolkit is not needed); without one there is nothing to do.");

    private static DriverProblem NoOpenCl() => DriverLibrary.HasOpenCl
        ? new DriverProblem("OpenCL", "the loader is here and lists no device.", "Install the card's own OpenCL driver, 2.0 or later.")
        : new DriverProblem(
            "OpenCL",
            $"there is no loader: {(OperatingSystem.IsWindows() ? "OpenCL.dll" : "libOpenCL.so.1")} was not found.",
            "For an AMD or Intel card, install its driver with OpenCL 2.0 or later (on Linux also the loader, such as the package ocl-icd-libopencl1).");
}
