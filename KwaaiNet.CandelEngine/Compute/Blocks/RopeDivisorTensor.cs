using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Architectures;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>Reads the tensor whose numbers divide RoPE's frequencies.</summary>
/// <remarks>
/// LongRoPE has two sets, for contexts within the original one and beyond it. A model turns by one of them, chosen by the context its
/// metadata gives: keys that were turned by the other set could not be compared with, so a session must never change over.
/// llama.cpp chooses by the context it was started with, which by default is the same number.
/// </remarks>
internal static class RopeDivisorTensor
{
    /// <returns>The divisors, <c>[RopeSize / 2]</c>; empty for none.</returns>
    /// <exception cref="ModelFormatException">The tensor has another shape or type, or holds a number that frequencies cannot be divided by.</exception>
    public static unsafe float[] Read(TensorFinder tensors, ModelShape shape, Architecture architecture)
    {
        if (Name(shape, architecture) is not { } name || !tensors.Has(name)) return [];

        TensorData tensor = tensors.Vector(name, shape.RopeSize / 2);
        var divisors = new float[tensor.Columns];
        WeightLayout.Decode(tensor.Type, (byte*)tensor.Address, 0, divisors);
        for (int i = 0; i < divisors.Length; i++)
        {
            if (!(divisors[i] > 0 && float.IsFinite(divisors[i])))
                throw tensors.Problem(name, $"holds {divisors[i]}; frequencies are divided by positive numbers");
        }

        return divisors;

        string? Name(ModelShape shape, Architecture architecture)
        {
            const string Plain = "rope_freqs.weight";
            if (architecture.Allows(BlockParts.RopeDivisors) && tensors.Has(Plain)) return Plain;
            if (!architecture.Allows(BlockParts.LongRopeDivisors)) return null;
            int original = shape.RopeScaling?.OriginalContext ?? shape.ContextLength;
            return shape.ContextLength > original ? "rope_factors_long.weight" : "rope_factors_short.weight";
        }
    }
}
