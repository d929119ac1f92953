namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>Recorded launches.</summary>
internal interface ILaunchGraph : IDisposable
{
    /// <summary>Launches them all, in the order and with the arguments they were recorded with, on the device's default stream.</summary>
    void Launch();
}
