using System.Numerics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>A range of blocks on the processor. Matrices are packed when loaded, and the file's pages given back: there is no second copy.</summary>
internal sealed unsafe class CpuBlockStack : BlockStack
{
    /// <summary>Rows that run together at most: bounds the scratch matrices, and is more than enough to make weights worth streaming.</summary>
    internal const int DefaultPieceRows = 256;

    // Logit rows computed together: 32 rows of a 128 k vocabulary are 16 MiB of scratch.
    private const int HeadRowsTogether = 32;

    private readonly CpuKernels _kernels;
    private readonly MatrixProduct _product;
    private readonly CpuBlock[] _blocks;
    private readonly CpuAttention _attention;
    private readonly CpuFeedForward _feedForward;
    private readonly CpuExperts? _experts;
    private readonly WeightMatrix _embedding;
    private readonly CpuMatrix? _output;
    private readonly CpuVector _outputNorm;

    private readonly ScratchMatrix _residual;
    private readonly ScratchMatrix _normed;
    private readonly ScratchMatrix _projected;
    private readonly ScratchMatrix _logits;
    private readonly Half[] _halves;
    private readonly PageMemory _pageMemory;

    internal CpuBlockStack(ModelShape shape, BlockStackOptions options, RangeTensors tensors, CpuKernels kernels, PackedKernels packedKernels, ComputePool pool, MatrixLoader load, int pieceRows)
        : base(shape, options, tensors.Bytes, pieceRows, KvBlock.PagePositions, PagesIn(options.KvBudgetBytes, PageBytesOf(shape, options)))
    {
        KeptFormat = KvBlock.Usable(options.KvFormat, shape.HeadSize);
        _pageMemory = new PageMemory(PageBytesOf(shape, options));
        _kernels = kernels;
        _product = new MatrixProduct(kernels, packedKernels, pool);
        _blocks = Array.ConvertAll(tensors.Blocks, b => new CpuBlock(b, load));
        _attention = new CpuAttention(shape, new RopeAngles(shape, tensors.RopeDivisors), kernels, pool, _product, pieceRows);
        _feedForward = new CpuFeedForward(shape, kernels, pool, _product);
        _experts = shape.Experts is { } experts ? new CpuExperts(shape, experts, _product, _feedForward, pieceRows) : null;
        if (tensors.Embedding is { } embedding) _embedding = new WeightMatrix(embedding);
        _output = tensors.Output is { } output ? load.Matrix(output) : null;
        _outputNorm = load.Vector(tensors.OutputNorm);

        _residual = new ScratchMatrix(shape.Width);
        _normed = new ScratchMatrix(shape.Width);
        _projected = new ScratchMatrix(shape.Width);
        _logits = new ScratchMatrix(shape.VocabularySize);
        _halves = new Half[shape.Width];
    }

    public override long KvBytesPerBlockPosition => PageBytesOf(Shape, Options) / KvBlock.PagePositions;

    /// <summary>How keys and values are really kept.</summary>
    internal KvFormat KeptFormat { get; }

    /// <summary>Where a page lies.</summary>
    internal nint AddressOf(int page) => _pageMemory[page];

    internal override void CopyPage(int from, int to) => _pageMemory.Copy(from, to);

    protected override void OnPageTaken(int page) => _pageMemory.Take(page);

    protected override void OnPageFree(int page) => _pageMemory.Return(page);

    protected override StackCache NewCache(int firstBlock, int endBlock) => new CpuKvCache(this, firstBlock, endBlock);

    protected override void Enter(ReadOnlySpan<RowRun> runs, int rows)
    {
        // Doubling, so that a stack which only decodes never holds a prefill's scratch, and growing is rare.
        int room = Math.Min(PieceRows, (int)BitOperations.RoundUpToPowerOf2((uint)rows));
        _residual.Reserve(room);
        _normed.Reserve(room);
        _projected.Reserve(room);
        _feedForward.Reserve(room);
        _experts?.Reserve(room);
        _attention.Enter(runs, room);

        foreach (ref readonly RowRun run in runs)
        {
            ReadOnlySpan<int> tokens = run.Step.Tokens.Span;
            ReadOnlySpan<float> input = run.Step.Input.Span;
            for (int r = 0; r < run.Rows; r++)
            {
                float* row = _residual.Row(run.PieceRow + r);
                if (!tokens.IsEmpty)
                    Embed(tokens[run.StepRow + r], row);
                else
                    input.Slice((run.StepRow + r) * Shape.Width, Shape.Width).CopyTo(new Span<float>(row, Shape.Width));
            }
        }
    }

    protected override void RunBlock(int block, ReadOnlySpan<RowRun> runs)
    {
        CpuBlock weights = _blocks[block - Options.FirstBlock];
        int first = runs[0].PieceRow;
        int end = runs[^1].PieceRow + runs[^1].Rows;

        Normalize(_residual, weights.AttentionNorm, first, end);
        _attention.Run(block, weights, _normed, runs, _projected);
        AddProjected(weights.PostAttentionNorm, first, end);

        Normalize(_residual, weights.FeedForwardNorm, first, end);
        if (weights.FeedForward is { } layer) _feedForward.Run(layer, _normed, first, end - first, _projected);
        else _experts!.Run(weights, _normed, first, end - first, _projected);
        AddProjected(weights.PostFeedForwardNorm, first, end);

        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Boundary == HiddenFormat.F16) RoundToHalf(run);
        }
    }

    protected override void Leave(ReadOnlySpan<RowRun> runs)
    {
        _attention.Leave(runs.Length); // keeps no session alive
        foreach (ref readonly RowRun run in runs)
        {
            if (run.Step.Output.IsEmpty) continue;

            Span<float> output = run.Step.Output.Span[(run.StepRow * Shape.Width)..];
            for (int r = 0; r < run.Rows; r++)
                new Span<float>(_residual.Row(run.PieceRow + r), Shape.Width).CopyTo(output[(r * Shape.Width)..]);
        }
    }

    protected override void RunHead(ReadOnlySpan<HeadRow> rows)
    {
        for (; !rows.IsEmpty; rows = rows[Math.Min(rows.Length, HeadRowsTogether)..])
        {
            int count = Math.Min(rows.Length, HeadRowsTogether);
            _logits.Reserve(count);
            for (int i = 0; i < count; i++)
                _kernels.RmsNorm(_residual.Row(rows[i].PieceRow), _outputNorm.Data, Shape.Width, Shape.RmsEpsilon, _normed.Row(i));

            _product.Of(_normed, 0, count).With(_output!, _logits, 0).Run();
            for (int i = 0; i < count; i++)
            {
                float* logits = _logits.Row(i);
                if (Shape.LogitScale != 1) CpuKernels.Scale(logits, Shape.LogitScale, Shape.VocabularySize);
                if (Shape.LogitSoftcap != 0) _kernels.Softcap(logits, Shape.VocabularySize, Shape.LogitSoftcap);
                new Span<float>(logits, Shape.VocabularySize).CopyTo(rows[i].Logits.Span);
            }
        }
    }

    protected override void Free()
    {
        foreach (CpuBlock block in _blocks) block.Dispose();
        _output?.Dispose();
        _product.Dispose();
        _outputNorm.Dispose();
        _attention.Dispose();
        _feedForward.Dispose();
        _experts?.Dispose();
        _pageMemory.Dispose();
        ScratchMatrix[] matrices = [_residual, _normed, _projected, _logits];
        foreach (ScratchMatrix matrix in matrices) matrix.Dispose();
    }

    private static long PageBytesOf(ModelShape shape, BlockStackOptions options) =>
        KvBlock.PageBytes(KvBlock.Usable(options.KvFormat, shape.HeadSize), shape.KvHeadCount, shape.HeadSize);

    private void Embed(int token, float* row)
    {
        CpuKernels.DecodeRow(_embedding, token, row);
        if (Shape.EmbeddingScale != 1) CpuKernels.Scale(row, Shape.EmbeddingScale, Shape.Width);
    }

    private void Normalize(ScratchMatrix source, CpuVector norm, int first, int end)
    {
        for (int r = first; r < end; r++)
            _kernels.RmsNorm(source.Row(r), norm.Data, Shape.Width, Shape.RmsEpsilon, _normed.Row(r));
    }

    // residual += ResidualScale · norm(projected)
    private void AddProjected(CpuVector norm, int first, int end)
    {
        // Not in place: a row of NaNs would leave them in the padding, which other rows will meet as zeros.
        if (norm.IsThere) Normalize(_projected, norm, first, end);
        ScratchMatrix added = norm.IsThere ? _normed : _projected;
        for (int r = first; r < end; r++)
        {
            if (Shape.ResidualScale != 1) CpuKernels.AddScaled(_residual.Row(r), added.Row(r), Shape.ResidualScale, Shape.Width);
            else CpuKernels.Add(_residual.Row(r), added.Row(r), Shape.Width);
        }
    }

    private void RoundToHalf(in RowRun run)
    {
        for (int r = 0; r < run.Rows; r++)
            CpuKernels.RoundToHalf(new Span<float>(_residual.Row(run.PieceRow + r), Shape.Width), _halves);
    }
}
