using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>The model whose file is open, and the device it runs on.</summary>
/// <param name="Model">The announced name.</param>
/// <param name="WeightsHash">SHA-256 of the file, lower-case hex.</param>
/// <param name="WeightFormat">How most weights are stored.</param>
/// <param name="Shape">The whole model's dimensions.</param>
/// <param name="Backend"><c>cpu</c> or <c>ilgpu</c>.</param>
/// <param name="Device">The device's own name.</param>
/// <param name="DeviceKind"><c>cpu</c>, <c>cuda</c>, <c>opencl</c> or <c>cpu-accelerator</c>.</param>
internal sealed record OpenedModel(string Model, string WeightsHash, string WeightFormat, ModelShape Shape, string Backend, string Device, string DeviceKind)
{
    /// <summary>Whether code is made for the device while it runs, and kept for each number of rows.</summary>
    public bool IsGpu => DeviceKind is "cuda" or "opencl";
}
