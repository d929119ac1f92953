namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>Four words: one 128-bit access.</summary>
internal struct Quad
{
    internal int X;
    internal int Y;
    internal int Z;
    internal int W;
}

/// <summary>Two words: one 64-bit access.</summary>
internal struct Duo
{
    internal int X;
    internal int Y;
}

/// <summary>How a block of an operand was brought to integers: one 64-bit access.</summary>
internal struct BlockScale
{
    /// <summary>What the integers are multiplied by.</summary>
    internal float Scale;

    /// <summary>The sum of the block's numbers, <c>Scale · Σ integers</c>; weights with a minimum need it.</summary>
    internal float Sum;
}
