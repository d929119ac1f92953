using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>What four blocks of a lane's four rows have once a row: two words and a third of a super-block.</summary>
internal struct RowScales
{
    internal Duo First;
    internal Duo Second;
    internal Duo Third;
    internal Duo Fourth;
    internal Quad Supers;
}

/// <summary>A block of 16 rows: a lane's part of the first matrix, and the scales of its two rows. What a format does not use costs nothing.</summary>
internal struct HalfBlock
{
    /// <summary>Row g: columns 4i …, and of 16-bit floats 8i, 8i + 1.</summary>
    internal int A;

    /// <summary>Row g + 8: the same.</summary>
    internal int B;

    /// <summary>Row g: columns 16+4i …, and of 16-bit floats 8i + 2, 8i + 3.</summary>
    internal int C;

    /// <summary>Row g + 8: the same.</summary>
    internal int D;

    /// <summary>Row g, of 16-bit floats 8i + 4, 8i + 5.</summary>
    internal int E;

    /// <summary>Row g + 8: the same.</summary>
    internal int F;

    /// <summary>Row g, of 16-bit floats 8i + 6, 8i + 7.</summary>
    internal int G;

    /// <summary>Row g + 8: the same.</summary>
    internal int H;

    /// <summary>Row g's scale.</summary>
    internal float Scale;

    /// <summary>Row g + 8's scale.</summary>
    internal float OtherScale;

    /// <summary>What row g's minima are multiplied by, less than nothing.</summary>
    internal float Less;

    /// <summary>What row g + 8's minima are multiplied by, less than nothing.</summary>
    internal float OtherLess;

    /// <summary>Row g's integer scale, of the first half of the columns if there are two.</summary>
    internal int Factor;

    /// <summary>Row g + 8's.</summary>
    internal int OtherFactor;

    /// <summary>Row g's integer scale of the second half of the columns.</summary>
    internal int SecondFactor;

    /// <summary>Row g + 8's.</summary>
    internal int OtherSecondFactor;
}

/// <summary>A block of 32 rows.</summary>
internal struct WeightBlock
{
    /// <summary>Rows 0 … 15.</summary>
    internal HalfBlock Upper;

    /// <summary>Rows 16 … 31.</summary>
    internal HalfBlock Lower;
}

/// <summary>A block of eight operand rows: a lane's part of the second matrix, and the scales of its two columns of sums.</summary>
internal struct OperandBlock
{
    /// <summary>Bytes, or upper bytes, of row g.</summary>
    internal Duo Words;

    /// <summary>Lower bytes of row g.</summary>
    internal Duo Lower;

    /// <summary>Eight 16-bit floats of row g.</summary>
    internal Quad Floats;

    /// <summary>What they leave.</summary>
    internal Quad Rest;

    /// <summary>Row 2i's scale and sum.</summary>
    internal BlockScale First;

    /// <summary>Row 2i + 1's scale and sum.</summary>
    internal BlockScale Second;
}
