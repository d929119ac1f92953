namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>Sums of products of four bytes each, in operations that every device has.</summary>
internal static class Dot4
{
    internal static int Signed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * ((b << 24) >> 24))
            + (((a << 16) >> 24) * ((b << 16) >> 24))
            + (((a << 8) >> 24) * ((b << 8) >> 24))
            + ((a >> 24) * (b >> 24));

    /// <summary>The second's bytes are unsigned.</summary>
    internal static int Mixed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * (b & 255))
            + (((a << 16) >> 24) * ((b >> 8) & 255))
            + (((a << 8) >> 24) * ((b >> 16) & 255))
            + ((a >> 24) * ((b >> 24) & 255));
}
