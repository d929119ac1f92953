using System.Reflection;
using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>The CUDA driver's functions for graphs, which ILGPU does not have.</summary>
/// <remarks>
/// Signatures: CUDA Driver API, "Stream Management" and "Graph Management". <c>CUresult</c> is a 32-bit enumeration with 0 for success;
/// streams, graphs and executable graphs are pointers; <c>unsigned long long</c> has 64 bits on every platform.
/// </remarks>
internal static partial class CudaGraphs
{
    /// <summary>CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads of this process may allocate while this one records.</summary>
    internal const int CaptureThreadLocal = 1;

    private const string Library = "cuda-driver";

    static CudaGraphs() => NativeLibrary.SetDllImportResolver(typeof(CudaGraphs).Assembly, Resolve);

    /// <summary><c>CUresult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode)</c>, in its second version.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    internal static partial int StreamBeginCapture(nint stream, int mode);

    /// <summary><c>CUresult cuStreamEndCapture(CUstream hStream, CUgraph* phGraph)</c>.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    internal static partial int StreamEndCapture(nint stream, out nint graph);

    /// <summary><c>CUresult cuGraphInstantiateWithFlags(CUgraphExec* phGraphExec, CUgraph hGraph, unsigned long long flags)</c>, CUDA 11.4 and later.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    internal static partial int GraphInstantiate(out nint executable, nint graph, ulong flags);

    /// <summary><c>CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream)</c>.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    internal static partial int GraphLaunch(nint executable, nint stream);

    /// <summary><c>CUresult cuGraphExecDestroy(CUgraphExec hGraphExec)</c>.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    internal static partial int GraphExecDestroy(nint executable);

    /// <summary><c>CUresult cuGraphDestroy(CUgraph hGraph)</c>.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    internal static partial int GraphDestroy(nint graph);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return 0;

        // The names that the driver installs; ILGPU loads the same one.
        return NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1");
    }
}
