namespace KwaaiNet.CandelEngine.Compute.Devices;

/// <summary>Why no device of a kind is seen.</summary>
/// <param name="Api"><c>CUDA</c> or <c>OpenCL</c>.</param>
/// <param name="Message">What is missing, in one sentence.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record DriverProblem(string Api, string Message, string Remedy);
