namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>The planes of one tile on the host.</summary>
internal readonly unsafe struct TilePlanes(byte* first, byte* second, byte* third, byte* fourth)
{
    private readonly byte* _first = first;
    private readonly byte* _second = second;
    private readonly byte* _third = third;
    private readonly byte* _fourth = fourth;

    internal T* Plane<T>(int index)
        where T : unmanaged => (T*)(index switch { 0 => _first, 1 => _second, 2 => _third, _ => _fourth });
}
