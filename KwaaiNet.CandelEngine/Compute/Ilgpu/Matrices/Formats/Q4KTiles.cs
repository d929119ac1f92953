using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q4_K in tiles. A lane's quad has a word for each of its four rows: columns 4i … 4i+3 in the low nibbles, 16+4i … in the high ones.
/// A row's super-block has a quad of eight scales, then eight minima, a byte each; and the binary16 they are multiplied by, d in the
/// lower half of a word and dmin in the upper one.
/// </summary>
internal readonly struct Q4KTiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<int> Supers;
    internal readonly int Blocks;

    internal Q4KTiles(ArrayView<Quad> quads, ArrayView<Quad> scales, ArrayView<int> supers, int blocks)
    {
        Quads = quads;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        for (int i = 0; i < 4; i++)
        {
            int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | i)], row);
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed(word & 0x0F0F0F0F, words.X, dot);
            dot = Dot4.Signed((word >> 4) & 0x0F0F0F0F, words.Y, dot);
        }

        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Add(sum, Scales[chunk], Supers[chunk], block & 7, dot, x.Scales[at]);
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int word = Tiles.Pick(Quads[Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3))], row);
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Decode(Scales[chunk], Supers[chunk], block & 7, (word >> ((8 * (c & 3)) + (c < 16 ? 0 : 4))) & 15);
    }
}
