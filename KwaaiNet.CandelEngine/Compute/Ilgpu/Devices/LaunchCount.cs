namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;

/// <summary>Counts launches: they are what a token's time on a fast device is spent on first.</summary>
internal sealed class LaunchCount
{
    /// <summary>Kernels launched so far.</summary>
    internal long Launches { get; private set; }

    internal void Add() => Launches++;
}
