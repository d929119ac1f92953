namespace KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

/// <summary>Loads and stores of fewer than 32 numbers, which touch no memory beyond them.</summary>
internal static unsafe class PartialLanes
{
    /// <summary>Loads <paramref name="count"/> numbers; the other lanes are 0.</summary>
    internal static TLanes Load<TLanes>(float* source, int count) where TLanes : struct, ILanes<TLanes>
    {
        float* padded = stackalloc float[32];
        var lanes = new Span<float>(padded, 32);
        new Span<float>(source, count).CopyTo(lanes);
        lanes[count..].Clear();
        return TLanes.Load(padded);
    }

    /// <summary>Stores the first <paramref name="count"/> lanes.</summary>
    internal static void Store<TLanes>(TLanes value, float* destination, int count) where TLanes : struct, ILanes<TLanes>
    {
        float* padded = stackalloc float[32];
        TLanes.Store(value, padded);
        new Span<float>(padded, count).CopyTo(new Span<float>(destination, count));
    }
}
