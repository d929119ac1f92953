namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Reads how RoPE was stretched.</summary>
/// <remarks>
/// <code>
/// rope.scaling.type                     none | linear | yarn | longrope; linear when a factor is there and no type.
///                                       Phi's converter writes none for longrope: its tensors show it.
/// rope.scaling.factor                   the older rope.scale_linear means the same
/// rope.scaling.original_context_length  default: context_length
/// rope.scaling.attn_factor              multiplies cosines and sines
/// rope.scaling.yarn_beta_fast, yarn_beta_slow, yarn_ext_factor, yarn_log_multiplier; also beta_fast, beta_slow
/// </code>
/// </remarks>
internal static class RopeScalingReader
{
    public static RopeScaling? Read(ShapeReader read, int context, Architecture architecture)
    {
        string type = read.Text("rope.scaling.type") is { Length: > 0 } text ? text : "linear";
        if (type == "none")
            return null;
        read.RefuseFeature(type is not ("linear" or "yarn" or "longrope"), $"RoPE scaling ('{type}')");
        read.RefuseFeature(type == "longrope" && !architecture.Allows(BlockParts.LongRopeDivisors), "RoPE scaling ('longrope')");

        // Converters write 0 for none.
        float factor = read.Number("rope.scaling.factor", 0, 1e6f, read.Number("rope.scale_linear", 0, 1e6f, 0));
        RopeScaling scaling = new()
        {
            Factor = factor == 0 ? 1 : factor,
            OriginalContext = read.Integer("rope.scaling.original_context_length", 1, 1 << 28, otherwise: context),
            Magnitude = read.Number("rope.scaling.attn_factor", 1e-3f, 1e3f, 1),
        };
        if (type == "yarn")
            scaling = Yarn(read, scaling);
        return scaling is { Factor: 1, Magnitude: 1 } && scaling.OriginalContext == context ? null : scaling;
    }

    private static RopeScaling Yarn(ShapeReader read, RopeScaling scaling)
    {
        float share = read.Number("rope.scaling.yarn_ext_factor", 0, 1, 1);
        if (share == 0)
            return scaling; // without YaRN's mixture, its temperature is left out too, as in llama.cpp

        // The paper's temperature, 0.1·ln(factor) + 1; models that took it back in part say how much.
        float takenBack = read.Number("rope.scaling.yarn_log_multiplier", 0, 1e3f, 0);
        float magnitude = Temperature(scaling.Factor, 1) / (takenBack == 0 ? 1 : Temperature(scaling.Factor, takenBack));
        return scaling with
        {
            YarnShare = share,
            BetaFast = read.Number("rope.scaling.yarn_beta_fast", 1e-3f, 1e6f, read.Number("rope.scaling.beta_fast", 1e-3f, 1e6f, RopeScaling.DefaultBetaFast)),
            BetaSlow = read.Number("rope.scaling.yarn_beta_slow", 1e-3f, 1e6f, read.Number("rope.scaling.beta_slow", 1e-3f, 1e6f, RopeScaling.DefaultBetaSlow)),
            Magnitude = scaling.Magnitude * magnitude,
        };
    }

    private static float Temperature(float factor, float multiplier) => factor <= 1 ? 1 : 1 + (0.1f * multiplier * MathF.Log(factor));
}
