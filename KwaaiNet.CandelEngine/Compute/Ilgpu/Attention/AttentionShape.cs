using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>What the kernels of attention need to know of a block, as one argument.</summary>
internal readonly struct AttentionShape
{
    /// <summary>The block, counted in its stack: pages are found by it.</summary>
    internal readonly int Block;

    internal readonly int Heads;
    internal readonly int KvHeads;

    /// <summary>Query heads to a key/value head.</summary>
    internal readonly int HeadsTogether;

    /// <summary>Numbers of a head.</summary>
    internal readonly int HeadSize;

    /// <summary>Numbers of a head as it is kept: whole groups of 8, zeros behind the last.</summary>
    internal readonly int KeptSize;

    /// <summary>Numbers of a head that RoPE turns; 0 in a block without.</summary>
    internal readonly int RopeSize;

    /// <summary>Whether pair i is <c>(i, i + RopeSize / 2)</c>, and not <c>(2i, 2i + 1)</c>.</summary>
    internal readonly int Halves;

    /// <summary>Where this block's angles start among a position's.</summary>
    internal readonly int AngleOffset;

    /// <summary>Positions seen, the own one included; 0 for all.</summary>
    internal readonly int Window;

    /// <summary>What q · k is multiplied by.</summary>
    internal readonly float Scale;

    /// <summary>The bound of scores; 0 for none.</summary>
    internal readonly float Softcap;

    /// <summary>Added under the root where query and key heads are normed.</summary>
    internal readonly float Epsilon;

    /// <summary>Whether query and key heads are normed.</summary>
    internal readonly int Norms;

    /// <summary>Whether the result goes out in plain rows: heads that are no whole blocks of 32 are brought into the operand's form by a launch of their own.</summary>
    internal readonly int Plain;

    /// <param name="shape">The model.</param>
    /// <param name="rope">Its angles.</param>
    /// <param name="block">The block, counted in the model.</param>
    /// <param name="firstBlock">The stack's first block.</param>
    /// <param name="norms">Whether the block norms query and key heads.</param>
    internal AttentionShape(ModelShape shape, RopeAngles rope, int block, int firstBlock, bool norms)
    {
        bool turns = rope.OffsetOf(block) >= 0;
        Block = block - firstBlock;
        Heads = shape.HeadCount;
        KvHeads = shape.KvHeadCount;
        HeadsTogether = shape.HeadCount / shape.KvHeadCount;
        HeadSize = shape.HeadSize;
        KeptSize = KvLayout.KeptSize(shape.HeadSize);
        RopeSize = turns ? shape.RopeSize : 0;
        Halves = shape.RopeStyle == RopeStyle.Halves ? 1 : 0;
        AngleOffset = turns ? rope.OffsetOf(block) : 0;
        Window = shape.AttentionOf(block).Window;
        Scale = shape.AttentionScale;
        Softcap = shape.AttentionSoftcap;
        Epsilon = shape.RmsEpsilon;
        Norms = norms ? 1 : 0;
        Plain = shape.HeadSize % AttentionOrder.PagePositions == 0 ? 0 : 1;
    }

    /// <summary>Fours of query heads that share a key/value head: what a group of threads takes on together.</summary>
    internal int Tiles => (HeadsTogether + AttentionOrder.TileHeads - 1) / AttentionOrder.TileHeads;
}
