using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Weights stored as Q8_0, seen as 16-bit words: a block is a binary16 scale and 16 words of two signed bytes.</summary>
internal readonly struct DeviceQ8Weights(ArrayView<ushort> data) : IDeviceWeights
{
    private const int BlockWords = 17;
    private const int BlockLength = 32;

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
            int word = block * BlockWords;
            float scale = DeviceMath.HalfToSingle(words[word++]);
            int end = (block + 1) * BlockLength;
            for (int i = block * BlockLength; i < end; i += 4, word += 2)
            {
                int low = words[word];
                int high = words[word + 1];
                a += scale * Low(low) * x[i];
                b += scale * High(low) * x[i + 1];
                c += scale * Low(high) * x[i + 2];
                d += scale * High(high) * x[i + 3];
            }
        }

        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns)
    {
        long block = ((long)row * (columns / BlockLength)) + (column / BlockLength);
        int word = _data[(block * BlockWords) + 1 + (column % BlockLength / 2)];
        int quant = column % 2 == 0 ? Low(word) : High(word);
        return DeviceMath.HalfToSingle(_data[block * BlockWords]) * quant;
    }

    // The signed byte in a word's low half, and in its high half.
    private static int Low(int word) => (word << 24) >> 24;

    private static int High(int word) => (word << 16) >> 24;
}
