using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The last step of the canonical order: the sums of an output's segments, from the warps that have them.</summary>
internal static class SegmentSums
{
    /// <summary>Adds them up in order.</summary>
    /// <param name="sums">Shared memory.</param>
    /// <param name="at">The first segment's.</param>
    /// <param name="stride">From one to the next.</param>
    internal static float Total(ArrayView<float> sums, int at, int stride)
    {
        // By hand, since ILGPU unrolls nothing: loads that wait for one another are what a short kernel ends with.
        float total = Four(0f, sums, at, stride);
        total = Four(total, sums, at + (4 * stride), stride);
        total = Four(total, sums, at + (8 * stride), stride);
        return Four(total, sums, at + (12 * stride), stride);
    }

    private static float Four(float total, ArrayView<float> sums, int at, int stride)
    {
        float a = sums[at];
        float b = sums[at + stride];
        float c = sums[at + (2 * stride)];
        float d = sums[at + (3 * stride)];
        return Rounded.Add(Rounded.Add(Rounded.Add(Rounded.Add(total, a), b), c), d);
    }
}
