using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The sums that a warp has in its registers: 32 weight rows by so many tiles of eight operand rows.</summary>
internal interface ISpan<TSelf>
    where TSelf : struct, ISpan<TSelf>
{
    /// <summary>Tiles of eight operand rows.</summary>
    int Count { get; }

    /// <summary>Adds the terms of a block.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="block">A block of 32 of their rows.</param>
    /// <param name="x">The operand.</param>
    /// <param name="at">The block of its first row.</param>
    /// <param name="step">From there to that of the next tile.</param>
    /// <param name="lane">The lane.</param>
    TSelf Add<TWeights>(TWeights weights, WeightBlock block, Operand x, int at, int step, int lane)
        where TWeights : struct, ITensorWeights;

    /// <summary>The sums of one tile.</summary>
    TileSums Tile(int index);
}

/// <summary>A lane's eight sums of 32 rows by eight columns.</summary>
internal struct TileSums
{
    internal Sums Upper;
    internal Sums Lower;

    internal static TileSums Add<TWeights>(TileSums sums, TWeights weights, WeightBlock block, Operand x, int at, int lane)
        where TWeights : struct, ITensorWeights
    {
        OperandBlock operand = weights.LoadOperand(x, at, lane);
        TileSums next;
        next.Upper = weights.Add(sums.Upper, block.Upper, operand);
        next.Lower = weights.Add(sums.Lower, block.Lower, operand);
        return next;
    }
}

/// <summary>Up to 8 operand rows.</summary>
internal struct OneTile : ISpan<OneTile>
{
    private TileSums _a;

    public readonly int Count => 1;

    public readonly OneTile Add<TWeights>(TWeights weights, WeightBlock block, Operand x, int at, int step, int lane)
        where TWeights : struct, ITensorWeights
    {
        OneTile next;
        next._a = TileSums.Add(_a, weights, block, x, at, lane);
        return next;
    }

    public readonly TileSums Tile(int index) => _a;
}

/// <summary>Up to 16 operand rows.</summary>
internal struct TwoTiles : ISpan<TwoTiles>
{
    private TileSums _a;
    private TileSums _b;

    public readonly int Count => 2;

    public readonly TwoTiles Add<TWeights>(TWeights weights, WeightBlock block, Operand x, int at, int step, int lane)
        where TWeights : struct, ITensorWeights
    {
        TwoTiles next;
        next._a = TileSums.Add(_a, weights, block, x, at, lane);
        next._b = TileSums.Add(_b, weights, block, x, at + step, lane);
        return next;
    }

    public readonly TileSums Tile(int index) => index == 0 ? _a : _b;
}

/// <summary>Up to 32 operand rows, and so many at a time where there are more.</summary>
internal struct FourTiles : ISpan<FourTiles>
{
    private TileSums _a;
    private TileSums _b;
    private TileSums _c;
    private TileSums _d;

    public readonly int Count => 4;

    public readonly FourTiles Add<TWeights>(TWeights weights, WeightBlock block, Operand x, int at, int step, int lane)
        where TWeights : struct, ITensorWeights
    {
        FourTiles next;
        next._a = TileSums.Add(_a, weights, block, x, at, lane);
        next._b = TileSums.Add(_b, weights, block, x, at + step, lane);
        next._c = TileSums.Add(_c, weights, block, x, at + (2 * step), lane);
        next._d = TileSums.Add(_d, weights, block, x, at + (3 * step), lane);
        return next;
    }

    public readonly TileSums Tile(int index) => index switch { 0 => _a, 1 => _b, 2 => _c, _ => _d };
}
