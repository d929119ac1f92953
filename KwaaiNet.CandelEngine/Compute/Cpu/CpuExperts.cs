using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>Runs mixtures of experts: the router picks, rows that share an expert run through it together, so that its weights are read once.</summary>
/// <remarks>
/// Experts run by number and add to each row's sum in that order, so a row's result is the same bits whichever rows come with it.
/// </remarks>
internal sealed unsafe class CpuExperts : IDisposable
{
    private readonly ExpertShape _experts;
    private readonly int _width;
    private readonly MatrixProduct _product;
    private readonly CpuFeedForward _feedForward;
    private readonly ScratchMatrix _routed;
    private readonly ScratchMatrix _gathered;
    private readonly ScratchMatrix _results;
    private readonly int[] _picks; // [rows, Used], ascending
    private readonly float[] _weights; // [rows, Used]
    private readonly Member[] _members;

    internal CpuExperts(ModelShape shape, ExpertShape experts, MatrixProduct product, CpuFeedForward feedForward, int pieceRows)
    {
        _experts = experts;
        _width = shape.Width;
        _product = product;
        _feedForward = feedForward;
        _routed = new ScratchMatrix(experts.Count);
        _gathered = new ScratchMatrix(shape.Width);
        _results = new ScratchMatrix(shape.Width);
        _picks = new int[pieceRows * experts.Used];
        _weights = new float[pieceRows * experts.Used];
        _members = new Member[pieceRows];
    }

    internal void Reserve(int rows)
    {
        _routed.Reserve(rows);
        _gathered.Reserve(rows);
        _results.Reserve(rows);
    }

    /// <summary>Runs rows <c>[first, first + rows)</c> through their experts; the sums go to the same rows of <paramref name="output"/>.</summary>
    internal void Run(CpuBlock block, ScratchMatrix input, int first, int rows, ScratchMatrix output)
    {
        _product.Of(input, first, rows).With(block.Router!, _routed, first).Run();
        for (int r = 0; r < rows; r++)
        {
            int at = r * _experts.Used;
            ExpertRouter.Pick(
                new ReadOnlySpan<float>(_routed.Row(first + r), _experts.Count),
                _experts,
                _picks.AsSpan(at, _experts.Used),
                _weights.AsSpan(at, _experts.Used));
            new Span<float>(output.Row(first + r), _width).Clear();
        }

        for (int expert = 0; expert < _experts.Count; expert++)
        {
            int members = Gather(expert, rows);
            if (members == 0) continue;

            for (int m = 0; m < members; m++)
                new Span<float>(input.Row(first + _members[m].Row), _width).CopyTo(new Span<float>(_gathered.Row(m), _width));
            _feedForward.Run(block.Experts[expert], _gathered, 0, members, _results);
            for (int m = 0; m < members; m++)
                CpuKernels.AddScaled(output.Row(first + _members[m].Row), _results.Row(m), _members[m].Weight, _width);
        }
    }

    public void Dispose()
    {
        _routed.Dispose();
        _gathered.Dispose();
        _results.Dispose();
    }

    private int Gather(int expert, int rows)
    {
        int members = 0;
        for (int i = 0; i < rows * _experts.Used; i++)
        {
            if (_picks[i] == expert) _members[members++] = new Member(i / _experts.Used, _weights[i]);
        }

        return members;
    }

    /// <summary>A row that runs through an expert, and what its result is multiplied by.</summary>
    private readonly record struct Member(int Row, float Weight);
}
