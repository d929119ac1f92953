using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Device memory for an operand of up to so many rows; reused from step to step.</summary>
internal sealed class OperandBuffer : IDisposable
{
    /// <summary>Logarithm of the rows of a tile, where there is more than one row.</summary>
    internal const int TileShift = 3;

    private readonly OperandKinds _kinds;
    private readonly int _columns;
    private readonly int _rows;
    private readonly MemoryBuffer1D<Quad, Stride1D.Dense> _buffer;
    private readonly OperandPlanes _planes;

    /// <param name="accelerator">The device.</param>
    /// <param name="kinds">The forms that its readers want: those of every <see cref="Projection"/> that takes it, together.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="rows">Rows it has room for.</param>
    internal OperandBuffer(Accelerator accelerator, OperandKinds kinds, int columns, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        _kinds = kinds;
        _columns = columns;
        _rows = rows;
        _buffer = accelerator.Allocate1D<Quad>(QuadsOf(kinds, columns, rows));
        long blocks = BlocksOf(columns, rows);
        long at = 0;
        _planes = new OperandPlanes
        {
            Bytes = Plane(OperandKinds.Bytes, 2).Cast<Duo>(),
            Scales = Plane(OperandKinds.Bytes, 0.5).Cast<BlockScale>(),
            Shorts = Plane(OperandKinds.Shorts, 4).Cast<Duo>(),
            ShortScales = Plane(OperandKinds.Shorts, 0.25).Cast<float>(),
            HalfQuads = Plane(OperandKinds.Halves, 8),
            BrainQuads = Plane(OperandKinds.Brains, 8),
            Singles = Plane(OperandKinds.Singles, 8).Cast<float>(),
        };
        _planes.Halves = _planes.HalfQuads.Cast<ushort>();
        _planes.Brains = _planes.BrainQuads.Cast<ushort>();

        ArrayView<Quad> Plane(OperandKinds kind, double quads)
        {
            // Views of no length have no place: what is not there points at what is.
            if (!kinds.HasFlag(kind)) return ((ArrayView<Quad>)_buffer.View).SubView(0, 1);

            long length = (long)(blocks * quads);
            ArrayView<Quad> plane = ((ArrayView<Quad>)_buffer.View).SubView(at, length);
            at += length;
            return plane;
        }
    }

    /// <summary>Bytes that a buffer takes on the device.</summary>
    internal static long BytesOf(OperandKinds kinds, int columns, int rows) => 16 * QuadsOf(kinds, columns, rows);

    /// <summary>The operand of a step of so many rows: the same for the same number.</summary>
    internal Operand For(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, _rows);
        return new Operand(_kinds, _columns, rows == 1 ? 0 : TileShift, _planes);
    }

    /// <summary>All of its memory, whatever the forms.</summary>
    internal ArrayView<Quad> Memory => _buffer.View;

    public void Dispose() => _buffer.Dispose();

    // Whole spans of tiles: tensor cores read what they do not need.
    private static long BlocksOf(int columns, int rows)
    {
        int span = rows <= 8 ? 8 : rows <= 16 ? 16 : 32;
        return (long)Segments.Blocks(columns) * ((rows + span - 1) / span * span);
    }

    private static long QuadsOf(OperandKinds kinds, int columns, int rows)
    {
        int quarters = (kinds.HasFlag(OperandKinds.Bytes) ? 10 : 0)
            + (kinds.HasFlag(OperandKinds.Shorts) ? 17 : 0)
            + (kinds.HasFlag(OperandKinds.Halves) ? 32 : 0)
            + (kinds.HasFlag(OperandKinds.Brains) ? 32 : 0)
            + (kinds.HasFlag(OperandKinds.Singles) ? 32 : 0);
        return Math.Max(1, BlocksOf(columns, rows) * quarters / 4);
    }
}
