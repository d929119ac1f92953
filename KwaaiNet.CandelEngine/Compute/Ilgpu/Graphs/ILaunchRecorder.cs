namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>Records what is launched, so that it can be launched again as one.</summary>
internal interface ILaunchRecorder
{
    /// <summary>Records launches on the device's default stream; nothing of them runs yet.</summary>
    /// <param name="launches">Launches and nothing else: no copy from or to the host, no allocation, no waiting.</param>
    /// <exception cref="LaunchRecordingException">The device or its driver cannot; the stream is as it was.</exception>
    ILaunchGraph Record(Action launches);
}
