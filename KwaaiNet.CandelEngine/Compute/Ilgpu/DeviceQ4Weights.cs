using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Weights stored as Q4_0, seen as 16-bit words: a block is a binary16 scale and 8 words of two bytes of two nibbles.</summary>
internal readonly struct DeviceQ4Weights(ArrayView<ushort> data) : IDeviceWeights
{
    private const int BlockWords = 9;
    private const int BlockLength = 32;
    private const int HighNibbles = BlockLength / 2; // element j + 16 is the high nibble of byte j

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
            int end = (block * BlockLength) + HighNibbles;
            for (int i = block * BlockLength; i < end; i += 2, word++)
            {
                int nibbles = words[word];
                a += scale * ((nibbles & 15) - 8) * x[i];
                b += scale * (((nibbles >> 8) & 15) - 8) * x[i + 1];
                c += scale * (((nibbles >> 4) & 15) - 8) * x[i + HighNibbles];
                d += scale * (((nibbles >> 12) & 15) - 8) * x[i + 1 + HighNibbles];
            }
        }

        return (a + c) + (b + d);
    }

    public float Element(int row, int column, int columns)
    {
        long block = ((long)row * (columns / BlockLength)) + (column / BlockLength);
        int j = column % HighNibbles;
        int word = _data[(block * BlockWords) + 1 + (j / 2)];
        int shift = (j % 2 * 8) + (column % BlockLength < HighNibbles ? 0 : 4);
        return DeviceMath.HalfToSingle(_data[block * BlockWords]) * (((word >> shift) & 15) - 8);
    }
}
