namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Four numbers: one 128-bit access, four neighbours of a head, or one number of four heads.</summary>
internal struct Four
{
    internal float X;
    internal float Y;
    internal float Z;
    internal float W;

    /// <summary>The same number four times.</summary>
    internal static Four Of(float value)
    {
        Four all;
        all.X = value;
        all.Y = value;
        all.Z = value;
        all.W = value;
        return all;
    }

    /// <summary>One of the four, by number.</summary>
    internal readonly float At(int index)
    {
        float low = (index & 1) == 0 ? X : Y;
        float high = (index & 1) == 0 ? Z : W;
        return index < 2 ? low : high;
    }
}
