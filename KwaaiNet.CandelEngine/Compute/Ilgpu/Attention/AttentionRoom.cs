using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Memory that attention works in beside its arguments.</summary>
internal sealed class AttentionRoom : IDisposable
{
    private readonly MemoryBuffer1D<Four, Stride1D.Dense> _partials;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _arrivals;

    /// <param name="accelerator">The device.</param>
    /// <param name="fours">Fours of <see cref="Partials"/>.</param>
    /// <param name="counters">Numbers of <see cref="Arrivals"/>.</param>
    internal AttentionRoom(Accelerator accelerator, long fours, int counters)
    {
        _partials = accelerator.Allocate1D<Four>(Math.Max(1, fours));
        try
        {
            _arrivals = accelerator.Allocate1D<int>(Math.Max(1, counters));
            _arrivals.MemSetToZero();
        }
        catch
        {
            _partials.Dispose();
            throw;
        }
    }

    /// <summary>Results of splits that are to be added up.</summary>
    internal ArrayView<Four> Partials => _partials.View;

    /// <summary>Splits that have been computed, for each row and tile; zero between launches.</summary>
    internal ArrayView<int> Arrivals => _arrivals.View;

    public void Dispose()
    {
        _arrivals.Dispose();
        _partials.Dispose();
    }
}
