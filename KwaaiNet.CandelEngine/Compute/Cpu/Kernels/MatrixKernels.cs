using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Which <see cref="MatrixKernel{TLanes, TWeights}"/> multiplies weights of which type, in one vector width.</summary>
internal static unsafe class MatrixKernels<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>As <see cref="CpuKernels.Multiply"/>.</summary>
    internal delegate void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride);

    private static readonly Multiply[] s_byType = ByType();

    /// <summary>The product for a type.</summary>
    internal static Multiply Of(GgmlType type) => s_byType[(int)type];

    private static Multiply[] ByType()
    {
        Dictionary<GgmlType, Multiply> known = new()
        {
            [GgmlType.F32] = MatrixKernel<TLanes, SingleWeights>.Multiply,
            [GgmlType.F16] = MatrixKernel<TLanes, HalfWeights>.Multiply,
            [GgmlType.BF16] = MatrixKernel<TLanes, BrainWeights>.Multiply,
            [GgmlType.Q4_0] = MatrixKernel<TLanes, Q4Weights>.Multiply,
            [GgmlType.Q4_1] = MatrixKernel<TLanes, Q4MinimumWeights>.Multiply,
            [GgmlType.Q5_0] = MatrixKernel<TLanes, Q5Weights>.Multiply,
            [GgmlType.Q5_1] = MatrixKernel<TLanes, Q5MinimumWeights>.Multiply,
            [GgmlType.Q8_0] = MatrixKernel<TLanes, Q8Weights>.Multiply,
            [GgmlType.Q2_K] = MatrixKernel<TLanes, Q2KWeights>.Multiply,
            [GgmlType.Q3_K] = MatrixKernel<TLanes, Q3KWeights>.Multiply,
            [GgmlType.Q4_K] = MatrixKernel<TLanes, Q4KWeights>.Multiply,
            [GgmlType.Q5_K] = MatrixKernel<TLanes, Q5KWeights>.Multiply,
            [GgmlType.Q6_K] = MatrixKernel<TLanes, Q6KWeights>.Multiply,
            [GgmlType.IQ1_S] = MatrixKernel<TLanes, DecodedWeights<IQ1_S>>.Multiply,
            [GgmlType.IQ1_M] = MatrixKernel<TLanes, DecodedWeights<IQ1_M>>.Multiply,
            [GgmlType.IQ2_XXS] = MatrixKernel<TLanes, DecodedWeights<IQ2_XXS>>.Multiply,
            [GgmlType.IQ2_XS] = MatrixKernel<TLanes, DecodedWeights<IQ2_XS>>.Multiply,
            [GgmlType.IQ2_S] = MatrixKernel<TLanes, DecodedWeights<IQ2_S>>.Multiply,
            [GgmlType.IQ3_XXS] = MatrixKernel<TLanes, DecodedWeights<IQ3_XXS>>.Multiply,
            [GgmlType.IQ3_S] = MatrixKernel<TLanes, DecodedWeights<IQ3_S>>.Multiply,
            [GgmlType.IQ4_NL] = MatrixKernel<TLanes, Iq4Weights>.Multiply,
            [GgmlType.IQ4_XS] = MatrixKernel<TLanes, Iq4SuperWeights>.Multiply,
            [GgmlType.TQ1_0] = MatrixKernel<TLanes, DecodedWeights<TQ1_0>>.Multiply,
            [GgmlType.TQ2_0] = MatrixKernel<TLanes, DecodedWeights<TQ2_0>>.Multiply,
            [GgmlType.MXFP4] = MatrixKernel<TLanes, Mxfp4Weights>.Multiply,
        };
        var byType = new Multiply[(int)known.Keys.Max() + 1];
        foreach ((GgmlType type, Multiply multiply) in known) byType[(int)type] = multiply;
        return byType;
    }
}
