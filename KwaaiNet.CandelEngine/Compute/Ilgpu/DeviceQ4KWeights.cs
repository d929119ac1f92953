using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>
/// Weights stored as Q4_K, seen as 16-bit words: a block of 256 is d, dmin, 6 words of packed scales and minima, and 64 words of
/// nibbles; 16 of these hold two groups of 32, the even one in the low nibbles.
/// </summary>
internal readonly struct DeviceQ4KWeights(ArrayView<ushort> data) : IDeviceWeights
{
    private const int BlockWords = 72;
    private const int BlockLength = 256;
    private const int Packed = 2;
    private const int Nibbles = 8;
    private const int PairWords = 16;

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
            float scale = DeviceMath.HalfToSingle(words[start]);
            float minimum = DeviceMath.HalfToSingle(words[start + 1]);
            for (int pair = 0; pair < 4; pair++)
            {
                float evenScale = scale * PackedScale(words, start, 2 * pair);
                float evenMinimum = minimum * PackedMinimum(words, start, 2 * pair);
                float oddScale = scale * PackedScale(words, start, (2 * pair) + 1);
                float oddMinimum = minimum * PackedMinimum(words, start, (2 * pair) + 1);
                int word = start + Nibbles + (pair * PairWords);
                int first = (block * BlockLength) + (64 * pair);
                for (int i = first; i < first + 32; i += 2, word++)
                {
                    int nibbles = words[word];
                    a += ((evenScale * (nibbles & 15)) - evenMinimum) * x[i];
                    b += ((evenScale * ((nibbles >> 8) & 15)) - evenMinimum) * x[i + 1];
                    c += ((oddScale * ((nibbles >> 4) & 15)) - oddMinimum) * x[i + 32];
                    d += ((oddScale * ((nibbles >> 12) & 15)) - oddMinimum) * x[i + 33];
                }
            }
        }

        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns)
    {
        long block = ((long)row * (columns / BlockLength)) + (column / BlockLength);
        ArrayView<ushort> words = _data.SubView(block * BlockWords, BlockWords);
        int group = column % BlockLength / 32;
        int l = column % 32;
        int nibbles = words[Nibbles + (group / 2 * PairWords) + (l / 2)];
        int number = (nibbles >> ((l % 2 * 8) + (group % 2 * 4))) & 15;
        return (DeviceMath.HalfToSingle(words[0]) * PackedScale(words, 0, group) * number)
            - (DeviceMath.HalfToSingle(words[1]) * PackedMinimum(words, 0, group));
    }

    // As BlockBits unpacks them.
    private static int PackedScale(ArrayView<ushort> words, int start, int group) => group < 4
        ? Byte(words, start, group) & 63
        : (Byte(words, start, group + 4) & 15) | ((Byte(words, start, group - 4) >> 6) << 4);

    private static int PackedMinimum(ArrayView<ushort> words, int start, int group) => group < 4
        ? Byte(words, start, group + 4) & 63
        : (Byte(words, start, group + 4) >> 4) | ((Byte(words, start, group) >> 6) << 4);

    private static int Byte(ArrayView<ushort> words, int start, int index) => (words[start + Packed + (index / 2)] >> (index % 2 * 8)) & 255;
}
