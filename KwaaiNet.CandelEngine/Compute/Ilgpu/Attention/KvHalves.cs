using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Keys and values as binary16, to nearest even, beyond ±65504 saturating.</summary>
internal readonly struct KvHalves : IKvFormat
{
    public static int Fours => 2;

    public static Four First(Quad word) => Widen(word.X, word.Y);

    public static Four Last(Quad word) => Widen(word.Z, word.W);

    public static void Keep(ArrayView<int> words, long quad, int number, float a, float b) =>
        words[(quad * 4) + (number / 2)] = TwoTerms.Half(a) | (TwoTerms.Half(b) << 16);

    private static Four Widen(int low, int high)
    {
        Four numbers;
        numbers.X = HalfPair.Low(low);
        numbers.Y = HalfPair.High(low);
        numbers.Z = HalfPair.Low(high);
        numbers.W = HalfPair.High(high);
        return numbers;
    }
}
