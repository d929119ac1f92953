using System.CommandLine;
using System.Globalization;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Devices;

/// <summary>The option <c>--device N</c>, with the numbers that <c>kwaainet devices</c> shows.</summary>
internal static class DeviceOption
{
    public static Option<int?> Create(string description)
    {
        Option<int?> option = new("--device") { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: string text }] && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && value < 0)
                result.AddError($"--device is {value}; '{CommandName.For("devices")}' shows the numbers.");
        });
        return option;
    }

    /// <summary>The list with the one accelerator of a number; unchanged where none was asked for.</summary>
    /// <exception cref="CommandFailure">There is no such device.</exception>
    public static DeviceList Narrow(DeviceList list, int? index)
    {
        if (index is null) return list;

        ListedDevice[] chosen = [.. list.Devices.Where(device => device.Index == index)];
        return chosen.Length > 0
            ? list with { Devices = chosen, Problems = [] }
            : throw new CommandFailure(
                $"There is no device {index}.",
                $"one of {string.Join(", ", list.Devices.Select(device => device.Index).OfType<int>())}; '{CommandName.For("devices")}' shows them.");
    }

    /// <summary>Opens a backend.</summary>
    /// <param name="backend"><c>cpu</c>, <c>ilgpu</c> or <c>auto</c>.</param>
    /// <param name="index">The accelerator's number; null for the first GPU. Not with <c>cpu</c>.</param>
    /// <param name="threads">Threads of the cpu backend; 0 for as many as the machine has.</param>
    /// <exception cref="CommandFailure">There is no such device, or it cannot be opened.</exception>
    public static IComputeBackend Open(string backend, int? index, int threads)
    {
        if (index is not null && backend == "cpu")
            throw new CommandFailure("--device names an accelerator, and the backend is cpu.", "--backend ilgpu with --device, or no --device.");

        try
        {
            return ComputeBackends.Create(index is null ? backend : "ilgpu", new ComputeOptions
            {
                Cpu = new CpuOptions { Threads = threads },
                Ilgpu = new IlgpuOptions { DeviceIndex = index },
            });
        }
        catch (ComputeUnavailableException exception)
        {
            throw new CommandFailure(exception.Message, "another --device, or --backend cpu, which always works.");
        }
    }
}
