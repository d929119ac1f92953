using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute.Attention;

/// <summary>One session's keys and values on ILGPU's CPU accelerator, with warps of 32 so that the kernels for CUDA run too: slow, so for small shapes.</summary>
internal sealed class AttentionBench : IDisposable
{
    // Two warps: units of a split go round.
    private const int Threads = 64;

    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly ModelShape _model;
    private readonly RopeAngles _rope;
    private readonly KvFormat _format;
    private readonly BlockKernels _portable;
    private readonly KvPool _pool;
    private readonly KvTable _table;
    private readonly int _pages;

    public AttentionBench(ModelShape model, KvFormat format, int positions)
    {
        _context = Context.Create(builder => builder.CPU(new CPUDevice(32, Threads / 32, 1)).Optimize(OptimizationLevel.O2).WithPtxIntrinsics());
        _accelerator = _context.Devices[0].CreateAccelerator(_context);
        _model = model;
        _rope = new RopeAngles(model, []);
        _format = format;
        _portable = BlockKernels.For(_accelerator, new LaunchCount(), KernelFamily.Portable);
        _pages = KvLayout.Pages(positions);
        _pool = new KvPool(_accelerator, (2 * _pages) + 3, KvLayout.PageBytes(format, model.KvHeadCount, model.HeadSize));

        _pool.Words.MemSetToZero();

        // Pages out of order, and a table that does not start at the first number.
        KvTables tables = _pool.Tables;
        tables.TryPlace(new KvTable(1), 3);
        _table = new KvTable(1);
        tables.TryPlace(_table, _pages);
        for (int page = 0; page < _pages; page++) tables.Set(_table, 0, page, (2 * _pages) + 2 - page);
        _pool.Send(_table);
        Shape = new AttentionShape(model, _rope, 0, 0, norms: false);
    }

    /// <summary>The block.</summary>
    public AttentionShape Shape { get; }

    /// <summary>Places queries, keys and values of the first positions.</summary>
    /// <param name="product">What the product left, <c>[positions, Heads + 2 · KvHeads, HeadSize]</c>.</param>
    /// <param name="positions">How many.</param>
    /// <param name="norms">The norms' weights, <c>[2, HeadSize]</c>, queries' and keys'; null for none.</param>
    /// <param name="cuda">Whether by the kernels for CUDA.</param>
    /// <returns>The turned queries, and every word of every page.</returns>
    public (float[] Query, Quad[] Pages) Place(float[] product, int positions, float[]? norms, bool cuda)
    {
        using StepBuffer step = Step([.. Enumerable.Range(0, positions)]);
        using var from = _accelerator.Allocate1D(product);
        using var query = _accelerator.Allocate1D<float>(positions * Shape.Heads * Shape.KeptSize);
        using var weights = _accelerator.Allocate1D(norms ?? new float[2 * Shape.HeadSize]);
        AttentionShape shape = new(_model, _rope, 0, 0, norms is not null);
        ArrayView<float> queryNorm = weights.View.SubView(0, Shape.HeadSize);
        ArrayView<float> keyNorm = weights.View.SubView(Shape.HeadSize, Shape.HeadSize);
        if (cuda)
        {
            KernelConfig config = new(new Index3D((Shape.Heads + (2 * Shape.KvHeads) + 1) / 2, positions, 1), new Index3D(Threads, 1, 1));
            if (_format == KvFormat.F32) Load<KvSingles>()(config, shape, step.From(0), from.View, queryNorm, keyNorm, query.View, _pool.Ints);
            else Load<KvHalves>()(config, shape, step.From(0), from.View, queryNorm, keyNorm, query.View, _pool.Ints);
        }
        else
        {
            _portable.Attention(_format, Shape.HeadSize).Place(shape, positions, step.From(0), from.View, queryNorm, keyNorm, ((ArrayView<float>)query.View).Cast<Four>(), _pool.Ints);
        }

        _accelerator.Synchronize();
        return (query.GetAsArray1D(), _pool.Words.GetAsArray());

        Action<KernelConfig, AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>> Load<TKv>()
            where TKv : struct, IKvFormat =>
            _accelerator.LoadStreamKernel<AttentionShape, StepView, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>>(CudaHeads.Place<TKv>);
    }

    /// <summary>Attends rows at positions; those below 0 only fill up. Returns plain rows, or the operand's float32.</summary>
    public float[] AttendPortable(float[] query, int[] positions)
    {
        using StepBuffer step = Step(positions);
        using var q = _accelerator.Allocate1D(query);
        using AttentionRoom room = new(_accelerator, PortableAttention.RoomFours(_model, positions.Length), 1);
        return Results(positions.Length, (plain, operand) => _portable.Attention(_format, Shape.HeadSize).Attend(
            Shape, positions.Length, 1, step.From(0), _pool.Words, ((ArrayView<float>)q.View).Cast<Four>(), room, plain, operand));
    }

    /// <summary>The same, by the kernel for CUDA, in a grid of so many splits.</summary>
    public float[] AttendCuda<THead>(float[] query, int[] positions, int splits)
        where THead : struct, IHeadSize =>
        _format == KvFormat.F32 ? AttendCuda<THead, KvSingles>(query, positions, splits) : AttendCuda<THead, KvHalves>(query, positions, splits);

    public void Dispose()
    {
        _pool.Dispose();
        _accelerator.Dispose();
        _context.Dispose();
    }

    private float[] AttendCuda<THead, TKv>(float[] query, int[] positions, int splits)
        where THead : struct, IHeadSize
        where TKv : struct, IKvFormat
    {
        var attend = _accelerator.LoadStreamKernel<AttentionShape, StepView, ArrayView<Quad>, ArrayView<Four>, ArrayView<Four>, ArrayView<int>, ArrayView<float>, Operand>(
            CudaAttention.Attend<THead, TKv>);
        using StepBuffer step = Step(positions);
        using var q = _accelerator.Allocate1D(query);
        using AttentionRoom room = new(_accelerator, CudaAttention.RoomFours(_model, positions.Length), positions.Length * CudaAttention.Counters(_model));
        KernelConfig config = new(
            new Index3D(Shape.KvHeads * Shape.Tiles, positions.Length, splits),
            new Index3D(Threads, 1, 1),
            SharedMemoryConfig.RequestDynamic<Four>(CudaAttention.SharedFours(Shape.KeptSize, Threads)));
        float[] results = Results(positions.Length, (plain, operand) =>
            attend(config, Shape, step.From(0), _pool.Words, ((ArrayView<float>)q.View).Cast<Four>(), room.Partials, room.Arrivals, plain, operand));
        Assert.All(room.Arrivals.GetAsArray(), arrived => Assert.Equal(0, arrived));
        return results;
    }

    private float[] Results(int rows, Action<ArrayView<float>, Operand> attend)
    {
        int width = Shape.Heads * Shape.HeadSize;
        using var plain = _accelerator.Allocate1D<float>(rows * width);
        using OperandBuffer buffer = new(_accelerator, OperandKinds.Singles, width, rows);
        Operand operand = buffer.For(rows);
        plain.MemSetToZero();
        operand.Singles.MemSetToZero();
        attend(plain.View, operand);
        _accelerator.Synchronize();
        if (Shape.Plain != 0) return plain.GetAsArray1D();

        float[] singles = operand.Singles.GetAsArray();
        return [.. Enumerable.Range(0, rows * width).Select(i => singles[(32 * operand.At(i / width, i % width / 32)) + (i % 32)])];
    }

    private StepBuffer Step(int[] positions)
    {
        StepBuffer step = new(_accelerator, positions.Length, _rope.Length, _pool.TablesOnDevice);
        step.Begin(positions.Length);
        for (int row = 0; row < positions.Length; row++)
        {
            if (positions[row] >= 0) step.Set(row, positions[row], _table.Start, _table.Stride, HiddenFormat.F32, 0, _rope);
        }

        step.Send(_accelerator.DefaultStream);
        _accelerator.Synchronize();
        return step;
    }
}
