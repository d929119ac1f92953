using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Repacks tensors from the mapped file and brings them to the device, some tiles at a time: the host never holds a second copy.</summary>
internal static unsafe class TileUpload
{
    // Of the staging memory, and between looks at the cancellation token.
    private const long ChunkBytes = 32L << 20;

    /// <summary>Bytes that rows of a type take on the device.</summary>
    internal static long BytesOf<TWeights, TPacking>(long rows, int columns)
        where TWeights : struct, ITileWeights
        where TPacking : struct, ITilePacking<TWeights> =>
        (rows + Tiles.Rows - 1) / Tiles.Rows * TPacking.PlaneBytes(Segments.Blocks(columns)).Sum(bytes => (long)bytes);

    /// <summary>Uploads the rows of tensors of equal type and columns, one behind the other.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; nothing stays allocated.</exception>
    internal static (MemoryBuffer1D<Quad, Stride1D.Dense> Buffer, TWeights Weights) Load<TWeights, TPacking>(
        Accelerator accelerator, TensorData[] tensors, CancellationToken cancellationToken)
        where TWeights : struct, ITileWeights
        where TPacking : struct, ITilePacking<TWeights>
    {
        int columns = tensors[0].Columns;
        int blocks = Segments.Blocks(columns);
        int tiles = Tiles.Count(tensors.Sum(t => t.Rows));
        int[] planeBytes = TPacking.PlaneBytes(blocks);
        long[] lengths = [.. planeBytes.Select(bytes => (long)bytes / sizeof(Quad) * tiles)];
        long[] starts = [.. lengths.Select((_, i) => lengths.Take(i).Sum())];
        MemoryBuffer1D<Quad, Stride1D.Dense> buffer = accelerator.Allocate1D<Quad>(Math.Max(1, lengths.Sum()));
        try
        {
            int together = (int)Math.Clamp(ChunkBytes / planeBytes.Sum(bytes => (long)bytes), 1, tiles);
            Quad[][] staging = [.. planeBytes.Select(bytes => new Quad[checked(bytes / sizeof(Quad) * together)])];
            RowFinder rows = new(tensors);
            for (int first = 0; first < tiles; first += together)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(together, tiles - first);
                foreach (Quad[] plane in staging) Array.Clear(plane);
                int start = first;
                Parallel.For(0, count, tile => Pack<TWeights, TPacking>(rows, columns, start + tile, tile, planeBytes, staging));
                for (int plane = 0; plane < staging.Length; plane++)
                {
                    long quads = planeBytes[plane] / sizeof(Quad);
                    ((ArrayView<Quad>)buffer.View).SubView(starts[plane] + (first * quads), count * quads).CopyFromCPU(ref staging[plane][0], count * quads);
                }
            }

            return (buffer, TPacking.Bind(new DevicePlanes(buffer.View, starts, lengths), blocks));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private static void Pack<TWeights, TPacking>(RowFinder rows, int columns, int tile, int at, int[] planeBytes, Quad[][] staging)
        where TWeights : struct, ITileWeights
        where TPacking : struct, ITilePacking<TWeights>
    {
        fixed (Quad* first = staging[0], second = staging[staging.Length > 1 ? 1 : 0], third = staging[staging.Length > 2 ? 2 : 0], fourth = staging[staging.Length > 3 ? 3 : 0])
        {
            TilePlanes planes = new(At(first, 0), At(second, 1), At(third, 2), At(fourth, 3));
            float[]? decoded = null;
            for (int r = 0; r < Tiles.Rows; r++)
            {
                if (!rows.TryFind((tile * Tiles.Rows) + r, out GgmlType type, out nint address)) break;

                if (typeof(TPacking) == typeof(SinglePacking) && type != GgmlType.F32)
                {
                    decoded ??= new float[columns];
                    WeightLayout.Decode(type, (byte*)address, 0, decoded);
                    fixed (float* values = decoded) TPacking.PackRow((byte*)values, columns, r, planes);
                }
                else
                {
                    TPacking.PackRow((byte*)address, columns, r, planes);
                }
            }
        }

        byte* At(Quad* plane, int index) => index < planeBytes.Length ? (byte*)plane + ((long)at * planeBytes[index]) : null;
    }

    // The rows of tensors, one behind the other.
    private sealed class RowFinder(TensorData[] tensors)
    {
        internal bool TryFind(int row, out GgmlType type, out nint address)
        {
            foreach (TensorData tensor in tensors)
            {
                if (row < tensor.Rows)
                {
                    type = tensor.Type;
                    address = tensor.Address + (nint)(row * WeightLayout.RowBytes(type, tensor.Columns));
                    return true;
                }

                row -= tensor.Rows;
            }

            type = default;
            address = 0;
            return false;
        }
    }
}
