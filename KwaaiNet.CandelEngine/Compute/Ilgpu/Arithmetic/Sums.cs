namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>A lane's four of the 16×8 sums of a tensor core's product.</summary>
internal struct Sums
{
    /// <summary>Row g, column 2i.</summary>
    internal float A;

    /// <summary>Row g, column 2i + 1.</summary>
    internal float B;

    /// <summary>Row g + 8, column 2i.</summary>
    internal float C;

    /// <summary>Row g + 8, column 2i + 1.</summary>
    internal float D;
}
