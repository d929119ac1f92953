namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>The size of a head as attention's kernel for CUDA sees it: a constant where models have it, so that addresses and loops are constants too.</summary>
internal interface IHeadSize
{
    /// <summary>Numbers of a head as kept.</summary>
    static abstract int Of(AttentionShape shape);
}

/// <summary>Heads of 64.</summary>
internal readonly struct Head64 : IHeadSize
{
    public static int Of(AttentionShape shape) => 64;
}

/// <summary>Heads of 80.</summary>
internal readonly struct Head80 : IHeadSize
{
    public static int Of(AttentionShape shape) => 80;
}

/// <summary>Heads of 96.</summary>
internal readonly struct Head96 : IHeadSize
{
    public static int Of(AttentionShape shape) => 96;
}

/// <summary>Heads of 128.</summary>
internal readonly struct Head128 : IHeadSize
{
    public static int Of(AttentionShape shape) => 128;
}

/// <summary>Heads of 256.</summary>
internal readonly struct Head256 : IHeadSize
{
    public static int Of(AttentionShape shape) => 256;
}

/// <summary>Heads of any other size up to 256.</summary>
internal readonly struct AnyHead : IHeadSize
{
    public static int Of(AttentionShape shape) => shape.KeptSize;
}
