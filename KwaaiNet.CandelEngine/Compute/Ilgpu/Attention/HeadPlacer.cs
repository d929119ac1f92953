using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>
/// Brings one head of a row to its place: RMSNorm of query and key heads where the block has it, RoPE, then queries to attention's
/// input and keys and values to the session's page. The steps that the kernels of all devices share.
/// </summary>
/// <remarks>Squares are added in 32 chains, lane l columns l, l + 32 …, and the chains as the lanes of a warp.</remarks>
internal static class HeadPlacer
{
    private const int Lanes = AttentionOrder.PagePositions;

    /// <summary>One of the 32 chains of a head's squares.</summary>
    internal static float Chain(ArrayView<float> head, int size, int lane)
    {
        float sum = 0;
        for (int e = lane; e < size; e += Lanes) sum = Rounded.Fma(head[e], head[e], sum);
        return sum;
    }

    /// <summary>A number of a head that was normed and turned; 0 beyond its end.</summary>
    /// <param name="shape">The block.</param>
    /// <param name="step">The rows.</param>
    /// <param name="row">The row.</param>
    /// <param name="head">The head as the product left it.</param>
    /// <param name="weights">The norm's.</param>
    /// <param name="scale">The norm's scale.</param>
    /// <param name="normed">Whether there is a norm.</param>
    /// <param name="turns">Whether RoPE turns it: values are left alone.</param>
    /// <param name="e">Which number.</param>
    internal static float Number(AttentionShape shape, StepView step, int row, ArrayView<float> head, ArrayView<float> weights, float scale, bool normed, bool turns, int e)
    {
        if (e >= shape.HeadSize) return 0;
        if (!turns || e >= shape.RopeSize) return Normed(head, weights, scale, normed, e);

        int half = shape.RopeSize / 2;
        bool second = shape.Halves != 0 ? e >= half : (e & 1) != 0;
        int pair = shape.Halves != 0 ? (second ? e - half : e) : e / 2;
        int first = shape.Halves != 0 ? pair : 2 * pair;
        float a = Normed(head, weights, scale, normed, first);
        float b = Normed(head, weights, scale, normed, shape.Halves != 0 ? first + half : first + 1);
        float cosine = step.Angle(row, shape.AngleOffset + (2 * pair));
        float sine = step.Angle(row, shape.AngleOffset + (2 * pair) + 1);
        return second ? Rounded.Fma(a, sine, Rounded.Multiply(b, cosine)) : Rounded.Fma(a, cosine, -Rounded.Multiply(b, sine));
    }

    /// <summary>Keeps two neighbours of a key or value head at the row's position.</summary>
    /// <param name="shape">The block.</param>
    /// <param name="step">The rows.</param>
    /// <param name="row">The row.</param>
    /// <param name="kvHead">The head.</param>
    /// <param name="isValue">Whether it is a value's.</param>
    /// <param name="pages">Every page, by 32-bit words.</param>
    /// <param name="e">The first number's place in the head, even.</param>
    /// <param name="a">The first number.</param>
    /// <param name="b">The second.</param>
    internal static void Keep<TKv>(AttentionShape shape, StepView step, int row, int kvHead, bool isValue, ArrayView<int> pages, int e, float a, float b)
        where TKv : struct, IKvFormat
    {
        int position = step.Position(row);
        int page = position / Lanes;
        int at = position - (page * Lanes);
        int fours = shape.KeptSize / 4;
        int wordsOfPart = fours * Lanes / TKv.Fours;
        long start = (((long)step.Page(row, shape.Block, page) * shape.KvHeads) + kvHead) * (2 * wordsOfPart);
        int numbers = 4 * TKv.Fours;
        if (isValue)
        {
            int word = wordsOfPart + (at / TKv.Fours * fours) + (e / 4);
            TKv.Keep(pages, start + word, (at % TKv.Fours * 4) + (e % 4), a, b);
        }
        else
        {
            int word = (e / numbers * Lanes) + at;
            TKv.Keep(pages, start + word, e % numbers, a, b);
        }
    }

    private static float Normed(ArrayView<float> head, ArrayView<float> weights, float scale, bool normed, int e) =>
        normed ? Rounded.Multiply(Rounded.Multiply(head[e], scale), weights[e]) : head[e];
}
