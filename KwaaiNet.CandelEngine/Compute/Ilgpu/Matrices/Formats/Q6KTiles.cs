using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q6_K in tiles, numbers of six bits in two's complement. A lane's quad has the low four bits, a word a row: columns 4i … 4i+3 in the
/// low nibbles, 16+4i … in the high ones. Its duo has the upper two: rows 0 and 1 in X, 2 and 3 in Y, and of each byte two bits of
/// columns 4i … of the first row, two of 16+4i …, and the same of the second. A row's super-block has a quad of 16 scales and a
/// binary16. A byte made of upper bits, low bits and two zeros is four times its number.
/// </summary>
internal readonly struct Q6KTiles : ITileWeights
{
    /// <summary>What undoes the four.</summary>
    internal const float Quarter = 0.25f;

    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Duo> Uppers;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<ushort> Supers;
    internal readonly int Blocks;

    internal Q6KTiles(ArrayView<Quad> quads, ArrayView<Duo> uppers, ArrayView<Quad> scales, ArrayView<ushort> supers, int blocks)
    {
        Quads = quads;
        Uppers = uppers;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    /// <summary>Four numbers, times four, of columns 4i …: from the low nibbles, and upper bits at bits 0 and 1 of each byte.</summary>
    internal static int First(int low, int upper) => ((upper << 6) & unchecked((int)0xC0C0C0C0)) | ((low << 2) & 0x3C3C3C3C);

    /// <summary>Four numbers, times four, of columns 16+4i …: from the high nibbles, and upper bits at bits 2 and 3 of each byte.</summary>
    internal static int Second(int low, int upper) => ((upper << 4) & unchecked((int)0xC0C0C0C0)) | ((low >> 2) & 0x3C3C3C3C);

    /// <summary>One of a super-block's 16 scales.</summary>
    internal static int Scale(Quad scales, int run)
    {
        int low = run < 4 ? scales.X : scales.Y;
        int high = run < 12 ? scales.Z : scales.W;
        return ((run < 8 ? low : high) << (24 - (8 * (run & 3)))) >> 24;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int first = 0;
        int second = 0;
        for (int i = 0; i < 4; i++)
        {
            int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | i);
            int low = Tiles.Pick(Quads[place], row);
            int upper = Upper(Uppers[place], row);
            Duo words = x.Bytes[(4 * at) + i];
            first = Dot4.Signed(First(low, upper), words.X, first);
            second = Dot4.Signed(Second(low, upper), words.Y, second);
        }

        int chunk = Chunks.Of(row, block >> 3, Blocks);
        Quad scales = Scales[chunk];
        int group = block & 7;
        float d = DeviceMath.HalfToSingle(Supers[chunk]) * Quarter;
        int dot = (Scale(scales, 2 * group) * first) + (Scale(scales, (2 * group) + 1) * second);
        return Rounded.Fma(Rounded.Multiply(d, x.Scales[at].Scale), dot, sum);
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3));
        int low = Tiles.Pick(Quads[place], row);
        int upper = Upper(Uppers[place], row);
        int four = c < 16 ? First(low, upper) : Second(low, upper);
        int number = (four << (24 - (8 * (c & 3)))) >> 26;
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        int run = (2 * (block & 7)) + (c < 16 ? 0 : 1);
        return Rounded.Multiply(Rounded.Multiply(DeviceMath.HalfToSingle(Supers[chunk]), Scale(Scales[chunk], run)), number);
    }

    private static int Upper(Duo uppers, int row) => (row & 16) == 0 ? uppers.X >> ((row & 8) / 2) : uppers.Y >> ((row & 8) / 2);
}
