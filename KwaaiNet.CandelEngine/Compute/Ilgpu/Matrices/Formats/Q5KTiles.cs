using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

/// <summary>
/// Q5_K in tiles: as <see cref="Q4KTiles"/>, and a word a lane and block of fifth bits: of each byte, bits 2q and 2q + 1 belong to the
/// lane's row q, columns 4i … and columns 16+4i ….
/// </summary>
internal readonly struct Q5KTiles : ITileWeights
{
    internal readonly ArrayView<Quad> Quads;
    internal readonly ArrayView<int> Fifths;
    internal readonly ArrayView<Quad> Scales;
    internal readonly ArrayView<int> Supers;
    internal readonly int Blocks;

    internal Q5KTiles(ArrayView<Quad> quads, ArrayView<int> fifths, ArrayView<Quad> scales, ArrayView<int> supers, int blocks)
    {
        Quads = quads;
        Fifths = fifths;
        Scales = scales;
        Supers = supers;
        Blocks = blocks;
    }

    public float AddBlock(float sum, int row, int block, Operand x, int at)
    {
        int dot = 0;
        int bit = 2 * ((row >> 3) & 3);
        for (int i = 0; i < 4; i++)
        {
            int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | i);
            int word = Tiles.Pick(Quads[place], row);
            int fifths = Fifths[place] >> bit;
            Duo words = x.Bytes[(4 * at) + i];
            dot = Dot4.Signed((word & 0x0F0F0F0F) | ((fifths & 0x01010101) << 4), words.X, dot);
            dot = Dot4.Signed(((word >> 4) & 0x0F0F0F0F) | (((fifths >> 1) & 0x01010101) << 4), words.Y, dot);
        }

        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Add(sum, Scales[chunk], Supers[chunk], block & 7, dot, x.Scales[at]);
    }

    public float Element(int row, int column)
    {
        int block = column >> 5;
        int c = column & 31;
        int half = c < 16 ? 0 : 1;
        int place = Tiles.At(row, block, Blocks, Tiles.Lane(row) | ((c >> 2) & 3));
        int low = (Tiles.Pick(Quads[place], row) >> ((8 * (c & 3)) + (4 * half))) & 15;
        int fifth = (Fifths[place] >> ((8 * (c & 3)) + (2 * ((row >> 3) & 3)) + half)) & 1;
        int chunk = Chunks.Of(row, block >> 3, Blocks);
        return KScales.Decode(Scales[chunk], Supers[chunk], block & 7, low | (fifth << 4));
    }
}
