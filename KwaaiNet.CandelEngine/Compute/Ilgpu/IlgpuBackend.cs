namespace KwaaiNet.CandelEngine.Compute.Ilgpu;
internal sealed class IlgpuBackend { internal const string BackendName="ilgpu"; internal static IComputeBackend Open(IlgpuOptions o)=>throw new NotSupportedException(); internal static IComputeBackend? TryOpenGpu(IlgpuOptions o)=>null; }
