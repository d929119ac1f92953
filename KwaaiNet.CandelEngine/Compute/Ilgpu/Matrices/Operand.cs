using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Rows of activations in the forms that products take them, on the device: a kernel argument, made by <see cref="OperandBuffer"/>.</summary>
/// <remarks>
/// Rows lie in tiles of <c>1 &lt;&lt; TileShift</c> (1 for one row, else 8), blocks of 32 columns in a tile, rows in a block: what a tensor
/// core takes as its second operand is one contiguous piece, and so is the block of a single row. Columns beyond the last, and rows
/// beyond the last of the last tile, are zero or never used.
/// <code>
/// at = ((row &gt;&gt; TileShift) · Blocks + block) &lt;&lt; TileShift | (row &amp; mask)          the block's number
/// Bytes   Duo[4]    at 4·at: columns 4i … 4i+3 in X, 16+4i … 16+4i+3 in Y, i = 0 … 3       and Scales[at]
/// Shorts  Duo[8]    at 8·at: 4 of upper bytes, then 4 of lower bytes: 256 · upper + lower, the lower unsigned   and ShortScales[at]
/// Halves  ushort[64] at 64·at: 32 binary16, then 32 of what they leave
/// Brains  ushort[64] at 64·at: 32 bfloat16, then 32 of what they leave
/// Singles float[32] at 32·at
/// </code>
/// </remarks>
internal readonly struct Operand
{
    /// <summary>The forms it holds, as <see cref="OperandKinds"/>.</summary>
    internal readonly int Kinds;

    /// <summary>Columns of a row.</summary>
    internal readonly int Columns;

    /// <summary>Blocks of a row.</summary>
    internal readonly int Blocks;

    /// <summary>Logarithm of a tile's rows.</summary>
    internal readonly int TileShift;

    internal readonly ArrayView<Duo> Bytes;
    internal readonly ArrayView<BlockScale> Scales;
    internal readonly ArrayView<Duo> Shorts;
    internal readonly ArrayView<float> ShortScales;
    internal readonly ArrayView<ushort> Halves;
    internal readonly ArrayView<ushort> Brains;

    /// <summary><see cref="Halves"/>, eight at a time.</summary>
    internal readonly ArrayView<Quad> HalfQuads;

    /// <summary><see cref="Brains"/>, eight at a time.</summary>
    internal readonly ArrayView<Quad> BrainQuads;

    internal readonly ArrayView<float> Singles;

    internal Operand(OperandKinds kinds, int columns, int tileShift, in OperandPlanes planes)
    {
        Kinds = (int)kinds;
        Columns = columns;
        Blocks = Segments.Blocks(columns);
        TileShift = tileShift;
        Bytes = planes.Bytes;
        Scales = planes.Scales;
        Shorts = planes.Shorts;
        ShortScales = planes.ShortScales;
        Halves = planes.Halves;
        Brains = planes.Brains;
        HalfQuads = planes.HalfQuads;
        BrainQuads = planes.BrainQuads;
        Singles = planes.Singles;
    }

    /// <summary>Where a block of a row lies, counted in blocks.</summary>
    internal int At(int row, int block) =>
        ((((row >> TileShift) * Blocks) + block) << TileShift) | (row & ((1 << TileShift) - 1));

    /// <summary>Writes one block of a row, by one thread.</summary>
    /// <param name="row">The row.</param>
    /// <param name="block">The block, from 0.</param>
    /// <param name="x">Where the numbers are.</param>
    /// <param name="start">Where the block's first one is.</param>
    internal void WriteBlock(int row, int block, ArrayView<float> x, int start)
    {
        int at = At(row, block);
        int count = Columns - (block * Segments.BlockLength);
        if (count > Segments.BlockLength) count = Segments.BlockLength;
        if ((Kinds & ((int)OperandKinds.Bytes | (int)OperandKinds.Shorts)) != 0) WriteIntegers(at, x, start, count);
        if ((Kinds & (int)OperandKinds.Halves) != 0)
        {
            for (int i = 0; i < Segments.BlockLength; i++)
            {
                float value = i < count ? x[start + i] : 0f;
                int half = TwoTerms.Half(value);
                Halves[(64 * at) + i] = (ushort)half;
                Halves[(64 * at) + 32 + i] = (ushort)TwoTerms.Half(TwoTerms.Rest(value, DeviceMath.HalfToSingle(half)));
            }
        }

        if ((Kinds & (int)OperandKinds.Brains) != 0)
        {
            for (int i = 0; i < Segments.BlockLength; i++)
            {
                float value = i < count ? x[start + i] : 0f;
                int brain = TwoTerms.Brain(value);
                Brains[(64 * at) + i] = (ushort)brain;
                Brains[(64 * at) + 32 + i] = (ushort)TwoTerms.Brain(TwoTerms.Rest(value, TwoTerms.BrainToSingle(brain)));
            }
        }

        if ((Kinds & (int)OperandKinds.Singles) != 0)
        {
            for (int i = 0; i < Segments.BlockLength; i++) Singles[(32 * at) + i] = i < count ? x[start + i] : 0f;
        }
    }

    /// <summary>Writes one block of a row, by a whole warp of 32: a lane has a column.</summary>
    /// <param name="row">The row.</param>
    /// <param name="block">The block, from 0.</param>
    /// <param name="value">The lane's number; 0 beyond the last column.</param>
    /// <remarks>Every lane of the warp must be here. The bits are those of <see cref="WriteBlock"/>.</remarks>
    internal void WriteLane(int row, int block, float value)
    {
        int at = At(row, block);
        int lane = Warp.LaneIdx;
        if ((Kinds & ((int)OperandKinds.Bytes | (int)OperandKinds.Shorts)) != 0) WriteIntegerLane(at, lane, value);
        if ((Kinds & (int)OperandKinds.Halves) != 0)
        {
            int half = TwoTerms.Half(value);
            Halves[(64 * at) + lane] = (ushort)half;
            Halves[(64 * at) + 32 + lane] = (ushort)TwoTerms.Half(TwoTerms.Rest(value, DeviceMath.HalfToSingle(half)));
        }

        if ((Kinds & (int)OperandKinds.Brains) != 0)
        {
            int brain = TwoTerms.Brain(value);
            Brains[(64 * at) + lane] = (ushort)brain;
            Brains[(64 * at) + 32 + lane] = (ushort)TwoTerms.Brain(TwoTerms.Rest(value, TwoTerms.BrainToSingle(brain)));
        }

        if ((Kinds & (int)OperandKinds.Singles) != 0) Singles[(32 * at) + lane] = value;
    }

    private void WriteIntegers(int at, ArrayView<float> x, int start, int count)
    {
        float largest = 0;
        bool finite = true;
        for (int i = 0; i < count; i++)
        {
            float magnitude = BlockIntegers.Magnitude(x[start + i]);
            finite &= BlockIntegers.IsFinite(magnitude);
            if (magnitude > largest) largest = magnitude;
        }

        if ((Kinds & (int)OperandKinds.Bytes) != 0)
        {
            float inverse = BlockIntegers.Inverse(BlockIntegers.ByteLevels, largest, finite);
            int sum = 0;
            for (int i = 0; i < 4; i++)
            {
                Duo words;
                words.X = 0;
                words.Y = 0;
                for (int j = 0; j < 4; j++)
                {
                    int column = (4 * i) + j;
                    int first = column < count ? BlockIntegers.Round(x[start + column], inverse) : 0;
                    int second = column + 16 < count ? BlockIntegers.Round(x[start + column + 16], inverse) : 0;
                    sum += first + second;
                    words.X |= (first & 255) << (8 * j);
                    words.Y |= (second & 255) << (8 * j);
                }

                Bytes[(4 * at) + i] = words;
            }

            Scales[at] = BlockIntegers.Scale(largest, finite, inverse, sum);
        }

        if ((Kinds & (int)OperandKinds.Shorts) != 0)
        {
            float inverse = BlockIntegers.Inverse(BlockIntegers.ShortLevels, largest, finite);
            for (int i = 0; i < 4; i++)
            {
                Duo upper;
                upper.X = 0;
                upper.Y = 0;
                Duo lower = upper;
                for (int j = 0; j < 4; j++)
                {
                    int column = (4 * i) + j;
                    int first = column < count ? BlockIntegers.Round(x[start + column], inverse) : 0;
                    int second = column + 16 < count ? BlockIntegers.Round(x[start + column + 16], inverse) : 0;
                    upper.X |= ((first >> 8) & 255) << (8 * j);
                    upper.Y |= ((second >> 8) & 255) << (8 * j);
                    lower.X |= (first & 255) << (8 * j);
                    lower.Y |= (second & 255) << (8 * j);
                }

                Shorts[(8 * at) + i] = upper;
                Shorts[(8 * at) + 4 + i] = lower;
            }

            ShortScales[at] = BlockIntegers.ShortScale(largest, finite, inverse);
        }
    }

    private void WriteIntegerLane(int at, int lane, float value)
    {
        float largest = BlockIntegers.Magnitude(value);
        int finite = BlockIntegers.IsFinite(largest) ? 1 : 0;
        for (int mask = 16; mask > 0; mask >>= 1)
        {
            float other = Warp.ShuffleXor(largest, mask);
            finite &= Warp.ShuffleXor(finite, mask);
            if (other > largest) largest = other;
        }

        if ((Kinds & (int)OperandKinds.Bytes) != 0)
        {
            float inverse = BlockIntegers.Inverse(BlockIntegers.ByteLevels, largest, finite != 0);
            int number = BlockIntegers.Round(value, inverse);
            int sum = number;
            for (int mask = 16; mask > 0; mask >>= 1) sum += Warp.ShuffleXor(sum, mask);
            Duo words = Gather(number & 255, lane);
            if ((lane & 19) == 0) Bytes[(4 * at) + (lane >> 2)] = words;
            if (lane == 0) Scales[at] = BlockIntegers.Scale(largest, finite != 0, inverse, sum);
        }

        if ((Kinds & (int)OperandKinds.Shorts) != 0)
        {
            float inverse = BlockIntegers.Inverse(BlockIntegers.ShortLevels, largest, finite != 0);
            int number = BlockIntegers.Round(value, inverse);
            Duo upper = Gather((number >> 8) & 255, lane);
            Duo lower = Gather(number & 255, lane);
            if ((lane & 19) == 0)
            {
                Shorts[(8 * at) + (lane >> 2)] = upper;
                Shorts[(8 * at) + 4 + (lane >> 2)] = lower;
            }

            if (lane == 0) ShortScales[at] = BlockIntegers.ShortScale(largest, finite != 0, inverse);
        }
    }

    // Lanes 0, 4, 8 and 12 get the bytes of their four lanes, and of the four lanes 16 further on.
    private static Duo Gather(int number, int lane)
    {
        int word = number << (8 * (lane & 3));
        word |= Warp.ShuffleXor(word, 1);
        word |= Warp.ShuffleXor(word, 2);
        Duo words;
        words.X = word;
        words.Y = Warp.ShuffleXor(word, 16);
        return words;
    }
}
