using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>
/// Weights stored as Q6_K, seen as 16-bit words: a block of 256 is two halves of 32 words of low nibbles each, then of 16 words of upper
/// bit pairs each, 8 words of signed 8-bit scales, and d. A half is four groups of 32: groups 0 and 1 lie in the low nibbles.
/// </summary>
internal readonly struct DeviceQ6KWeights(ArrayView<ushort> data) : IDeviceWeights
{
    private const int BlockWords = 105;
    private const int BlockLength = 256;
    private const int Uppers = 64;
    private const int Scales = 96;
    private const int ScaleOfScales = 104;

    private readonly ArrayView<ushort> _data = data;

    public float Dot(int row, int columns, ArrayView<float> x)
    {
        int blocks = columns / BlockLength;
        ArrayView<ushort> words = _data.SubView((long)row * blocks * BlockWords, blocks * BlockWords);
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        for (int block = 0; block < blocks; block++)
        {
            int start = block * BlockWords;
            float scale = DeviceMath.HalfToSingle(words[start + ScaleOfScales]);
            for (int part = 0; part < 4; part++)
            {
                // Half the block, and half of each of its groups: sixteen numbers of one scale.
                int half = part / 2;
                int run = (8 * half) + (part % 2);
                float first = scale * Scale(words, start, run);
                float second = scale * Scale(words, start, run + 2);
                float third = scale * Scale(words, start, run + 4);
                float fourth = scale * Scale(words, start, run + 6);
                int low = start + (32 * half) + (part % 2 * 8);
                int upper = start + Uppers + (16 * half) + (part % 2 * 8);
                int i = (block * BlockLength) + (128 * half) + (part % 2 * 16);
                for (int word = 0; word < 8; word++)
                {
                    int left = words[low + word];
                    int right = words[low + 16 + word];
                    int bits = words[upper + word];
                    for (int shift = 0; shift < 16; shift += 8, i++)
                    {
                        a += first * Number(left >> shift, bits >> shift) * x[i];
                        b += second * Number(right >> shift, bits >> (shift + 2)) * x[i + 32];
                        c += third * Number(left >> (shift + 4), bits >> (shift + 4)) * x[i + 64];
                        d += fourth * Number(right >> (shift + 4), bits >> (shift + 6)) * x[i + 96];
                    }
                }
            }
        }

        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns)
    {
        long block = ((long)row * (columns / BlockLength)) + (column / BlockLength);
        ArrayView<ushort> words = _data.SubView(block * BlockWords, BlockWords);
        int half = column % BlockLength / 128;
        int quarter = column % 128 / 32;
        int l = column % 32;
        int shift = l % 2 * 8;
        int low = words[(32 * half) + (quarter % 2 * 16) + (l / 2)] >> (shift + (quarter / 2 * 4));
        int upper = words[Uppers + (16 * half) + (l / 2)] >> (shift + (2 * quarter));
        return DeviceMath.HalfToSingle(words[ScaleOfScales]) * Scale(words, 0, column % BlockLength / 16) * Number(low, upper);
    }

    private static int Number(int low, int upper) => ((low & 15) | ((upper & 3) << 4)) - 32;

    private static int Scale(ArrayView<ushort> words, int start, int run) => (words[start + Scales + (run / 2)] << (run % 2 == 0 ? 24 : 16)) >> 24;
}
