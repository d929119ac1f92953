using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Where the forms of an <see cref="Operand"/> lie. Those it does not have are views of no use.</summary>
internal struct OperandPlanes
{
    internal ArrayView<Duo> Bytes;
    internal ArrayView<BlockScale> Scales;
    internal ArrayView<Duo> Shorts;
    internal ArrayView<float> ShortScales;
    internal ArrayView<ushort> Halves;
    internal ArrayView<ushort> Brains;
    internal ArrayView<Quad> HalfQuads;
    internal ArrayView<Quad> BrainQuads;
    internal ArrayView<float> Singles;
}
