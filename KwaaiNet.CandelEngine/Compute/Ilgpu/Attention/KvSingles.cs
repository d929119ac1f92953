using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>Keys and values as float32.</summary>
internal readonly struct KvSingles : IKvFormat
{
    public static int Fours => 1;

    public static Four First(Quad word)
    {
        Four numbers;
        numbers.X = Interop.IntAsFloat((uint)word.X);
        numbers.Y = Interop.IntAsFloat((uint)word.Y);
        numbers.Z = Interop.IntAsFloat((uint)word.Z);
        numbers.W = Interop.IntAsFloat((uint)word.W);
        return numbers;
    }

    public static Four Last(Quad word) => First(word);

    public static void Keep(ArrayView<int> words, long quad, int number, float a, float b)
    {
        long at = (quad * 4) + number;
        words[at] = (int)Interop.FloatAsInt(a);
        words[at + 1] = (int)Interop.FloatAsInt(b);
    }
}
