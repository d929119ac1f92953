using ILGPU.Runtime.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>Records launches as a CUDA graph, by capturing the accelerator's default stream.</summary>
/// <remarks>Source: CUDA C++ Programming Guide, "CUDA Graphs", creating a graph using stream capture.</remarks>
internal sealed class CudaLaunchRecorder(CudaAccelerator accelerator) : ILaunchRecorder
{
    public ILaunchGraph Record(Action launches)
    {
        var stream = (CudaStream)accelerator.DefaultStream;
        accelerator.Bind();
        try
        {
            Check(CudaGraphs.StreamBeginCapture(stream.StreamPtr, CudaGraphs.CaptureThreadLocal), "cuStreamBeginCapture");
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new LaunchRecordingException($"the CUDA driver has no graphs: {e.Message}", e);
        }

        Exception? problem = null;
        try
        {
            launches();
        }
        catch (Exception e) when (e is CudaException)
        {
            problem = e;
        }

        // Whatever happened in between, the stream must leave its state of recording.
        int ended = CudaGraphs.StreamEndCapture(stream.StreamPtr, out nint graph);
        if (problem is not null)
        {
            if (graph != 0) _ = CudaGraphs.GraphDestroy(graph);
            throw new LaunchRecordingException($"a launch could not be recorded: {problem.Message}", problem);
        }

        Check(ended, "cuStreamEndCapture");
        int made = CudaGraphs.GraphInstantiate(out nint executable, graph, 0);
        _ = CudaGraphs.GraphDestroy(graph);
        Check(made, "cuGraphInstantiateWithFlags");
        return new CudaLaunchGraph(accelerator, stream, executable);
    }

    private static void Check(int result, string function)
    {
        if (result != 0) throw new LaunchRecordingException($"{function} gave error {result} ({(CudaError)result})");
    }

    private sealed class CudaLaunchGraph(CudaAccelerator accelerator, CudaStream stream, nint executable) : ILaunchGraph
    {
        private nint _executable = executable;

        public void Launch()
        {
            accelerator.Bind();
            var result = (CudaError)CudaGraphs.GraphLaunch(_executable, stream.StreamPtr);
            if (result != CudaError.CUDA_SUCCESS) throw new CudaException(result);
        }

        public void Dispose()
        {
            if (_executable == 0) return;

            accelerator.Bind();
            _ = CudaGraphs.GraphExecDestroy(_executable); // memory of the driver's; a device that failed may refuse
            _executable = 0;
        }
    }
}
