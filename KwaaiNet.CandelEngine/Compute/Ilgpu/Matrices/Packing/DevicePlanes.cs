using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>The planes of all tiles of a matrix, in one buffer.</summary>
internal readonly struct DevicePlanes(ArrayView<Quad> buffer, long[] starts, long[] lengths)
{
    /// <summary>A plane as elements of its type.</summary>
    internal ArrayView<T> Plane<T>(int index)
        where T : unmanaged => buffer.SubView(starts[index], lengths[index]).Cast<T>();
}
