using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q4_0 in tiles. A lane's quad has a word for each of its four rows: the numbers of columns 4i … 4i+3 in the low nibbles, of 16+4i … in
/// the high ones, in two's complement, so that a nibble in a byte's upper half is 16 times its number without more ado.
/// </summary>
internal readonly struct Q4Tiles : ITileWeights
{
    /// <summary>What undoes the 16.</summary>
    internal const float Sixteenth = 0.0625f;

    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<ushort> Scales;
    internal readonly int Blocks;

    internal Q4Tiles(ArrayView<Quad> quads, ArrayView<ushort> scales, int blocks)
    {
        Quads = quads;
        Scales = scales;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        for (int i = 0; i < 4; i++)
        {
            int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | i)], row);
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed((word << 4) & unchecked((int)0xF0F0F0F0), words.X, dot);
            dot = Dot4.Signed(word & unchecked((int)0xF0F0F0F0), words.Y, dot);
        }

        float scale = DeviceMath.HalfToSingle(Scales[ScaleAt(row, block)]) * Sixteenth;
        return Rounded.Fma(Rounded.Multiply(scale, x.Scales[at].Scale), dot, sum);
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3))], row);
        int shift = (8 * (c & 3)) + (c < 16 ? 0 : 4);
        return DeviceMath.HalfToSingle(Scales[ScaleAt(row, block)]) * ((word << (28 - shift)) >> 28);
    }

    private int ScaleAt(int row, int block) => Chunks.At(row, block, Blocks);
}
