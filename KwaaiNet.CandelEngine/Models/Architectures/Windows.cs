namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Which blocks attend to a window of positions only, and how those turn.</summary>
internal static class Windows
{
    private const int Largest = 1 << 28;

    /// <summary>Every block has the window that <c>attention.sliding_window</c> gives; 0 or nothing is none.</summary>
    public static ModelShape OnEveryBlock(ShapeReader read, ModelShape shape)
    {
        int window = read.Integer("attention.sliding_window", 0, Largest, otherwise: 0);
        if (window == 0)
            return shape;
        BlockAttention attention = new(window, new RopeSettings(shape.RopeBase, shape.RopeScaling));
        return shape with { Attention = [.. Enumerable.Repeat(attention, shape.BlockCount)] };
    }

    /// <summary>Of every <paramref name="period"/> blocks the last sees all positions, the others a window, with a rotation of their own.</summary>
    /// <param name="read">The metadata; <c>attention.sliding_window_pattern</c> may give another period, or a truth value for each block.</param>
    /// <param name="shape">The model.</param>
    /// <param name="period">The architecture's period.</param>
    /// <param name="window">The window when the metadata gives none; 0 for no windows at all.</param>
    /// <param name="local">The rotation in blocks with a window.</param>
    public static ModelShape Alternating(ShapeReader read, ModelShape shape, int period, int window, RopeSettings local)
    {
        window = read.Integer("attention.sliding_window", 0, Largest, otherwise: window);
        if (window == 0)
            return shape;
        const string Pattern = "attention.sliding_window_pattern";
        bool[]? isLocal = read.FlagArray(Pattern, shape.BlockCount);
        period = isLocal is null ? read.Integer(Pattern, 1, 1 << 12, otherwise: period) : period;
        RopeSettings global = new(shape.RopeBase, shape.RopeScaling);
        var attention = new BlockAttention[shape.BlockCount];
        for (int block = 0; block < attention.Length; block++)
            attention[block] = isLocal?[block] ?? block % period < period - 1 ? new BlockAttention(window, local) : new BlockAttention(0, global);
        return shape with { Attention = attention };
    }
}
