using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>What attention kernels need to know of a block, as one argument.</summary>
internal readonly struct DeviceShape
{
    internal readonly int Heads;
    internal readonly int KvHeads;
    internal readonly int HeadSize;

    /// <summary>Numbers of a head that RoPE turns; 0 in a block without.</summary>
    internal readonly int RopeSize;

    /// <summary>From one pair's first number to the next pair's.</summary>
    internal readonly int PairStride;

    /// <summary>From a pair's first number to its second.</summary>
    internal readonly int PairStep;

    /// <summary>Numbers of one position in the table of angles, of all kinds of rotation.</summary>
    internal readonly int AngleLength;

    /// <summary>Where this block's angles start among them.</summary>
    internal readonly int AngleOffset;

    /// <summary>Positions seen, the own one included; 0 for all.</summary>
    internal readonly int Window;

    /// <summary>What q · k is multiplied by.</summary>
    internal readonly float Scale;

    /// <summary>The bound of scores; 0 for none.</summary>
    internal readonly float Softcap;

    /// <param name="shape">The model.</param>
    /// <param name="rope">Its angles.</param>
    /// <param name="block">The block, counted in the model.</param>
    internal DeviceShape(ModelShape shape, RopeAngles rope, int block)
    {
        bool turns = rope.OffsetOf(block) >= 0;
        bool halves = shape.RopeStyle == RopeStyle.Halves;
        Heads = shape.HeadCount;
        KvHeads = shape.KvHeadCount;
        HeadSize = shape.HeadSize;
        RopeSize = turns ? shape.RopeSize : 0;
        PairStride = halves ? 1 : 2;
        PairStep = halves ? shape.RopeSize / 2 : 1;
        AngleLength = rope.Length;
        AngleOffset = turns ? rope.OffsetOf(block) : 0;
        Window = shape.AttentionOf(block).Window;
        Scale = shape.AttentionScale;
        Softcap = shape.AttentionSoftcap;
    }
}
