namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

/// <summary>What a norm's kernel needs to know, as one argument.</summary>
/// <param name="width">Numbers in a row.</param>
/// <param name="epsilon">Added under the root.</param>
/// <param name="rounds">Whether rows that cross in binary16 are rounded to it first, where they lie.</param>
/// <param name="gathers">Whether a list says which rows; else it is every row.</param>
internal readonly struct NormShape(int width, float epsilon, bool rounds = false, bool gathers = false)
{
    internal readonly int Width = width;
    internal readonly float Epsilon = epsilon;
    internal readonly int Rounds = rounds ? 1 : 0;
    internal readonly int Gathers = gathers ? 1 : 0;
}
