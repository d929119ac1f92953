namespace KwaaiNet.CandelEngine.Compute;

/// <summary>What a backend runs on.</summary>
/// <param name="Kind"><c>cpu</c>, <c>cuda</c>, <c>opencl</c>, or <c>cpu-accelerator</c> for ILGPU's simulator.</param>
/// <param name="Name">The device's own name, such as the processor's or the card's.</param>
/// <param name="MemoryBytes">Memory available to blocks and KV cache, in bytes.</param>
public sealed record ComputeDevice(string Kind, string Name, long MemoryBytes);
