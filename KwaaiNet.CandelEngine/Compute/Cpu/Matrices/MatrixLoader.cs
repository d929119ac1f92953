using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

/// <summary>Brings the matrices and vectors of a load in, one after the other; when one fails or the load is stopped, nothing stays allocated.</summary>
/// <param name="model">The open file.</param>
/// <param name="pool">Threads that share the packing.</param>
/// <param name="totalBytes">Bytes of everything that will be loaded.</param>
/// <param name="progress">Told the fraction done.</param>
/// <param name="cancellationToken">Stops the load.</param>
internal sealed class MatrixLoader(ModelFile model, ComputePool pool, long totalBytes, IProgress<double>? progress, CancellationToken cancellationToken)
{
    private readonly List<IDisposable> _loaded = [];
    private long _done;

    /// <summary>Brings one matrix in, and gives the file's pages back where it was packed.</summary>
    /// <exception cref="ModelFormatException">A weight or a scale is infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The load was stopped.</exception>
    internal CpuMatrix Matrix(TensorData tensor)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CpuMatrix matrix = CpuMatrix.Load(tensor, pool);
        _loaded.Add(matrix);
        if (matrix.Packed is null) Touch(tensor);
        else model.GiveBackPages(tensor);
        _done += tensor.ByteLength;
        progress?.Report(Math.Min(0.999, (double)_done / totalBytes)); // 1 when all is there
        return matrix;
    }

    /// <summary>Brings a norm's weights or a bias in, or the nothing that stands for none.</summary>
    internal CpuVector Vector(TensorData? tensor)
    {
        CpuVector vector = new(tensor);
        _loaded.Add(vector);
        return vector;
    }

    /// <summary>Frees what was loaded, after a failure.</summary>
    internal void Free()
    {
        foreach (IDisposable part in _loaded) part.Dispose();
        _loaded.Clear();
    }

    // Brings the mapped pages in, so that loading takes the time it takes and the first token does not.
    private unsafe void Touch(TensorData tensor)
    {
        const int Page = 4096;
        const int PagesBetweenChecks = 4096;

        var source = (byte*)tensor.Address;
        for (long offset = 0, pages = 0; offset < tensor.ByteLength; offset += Page, pages++)
        {
            if (pages % PagesBetweenChecks == 0) cancellationToken.ThrowIfCancellationRequested();
            Volatile.Read(ref source[offset]);
        }
    }
}
