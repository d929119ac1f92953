using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>A trained model, quantised by us: its next-token distributions move as far as the format's error explains, and no farther.</summary>
/// <remarks><c>docs/accuracy.md</c> has the figures, measured on more positions, that the bounds stand a little above.</remarks>
[Trait("Category", "Parity")]
public sealed class QuantisationAccuracyTests(DemoModelAccuracy model, ITestOutputHelper output) : IClassFixture<DemoModelAccuracy>
{
    // Divergence grows with the square of the weights' error. On this model it is 8 to 14 times it for every type (17 for ternary weights): a type beyond that loses more than its rounding, which is a fault in decoding or computing.
    private const double MostPerSquaredError = 18;

    // Activations are rounded too before they meet quantised weights, to 16 bits for Q8_0.
    private const double ActivationDivergence = 1e-7;

    /// <summary>Type, bound on the weights' relative RMS error, bound on the mean divergence in nats.</summary>
    public static TheoryData<GgmlType, double, double> Bounds => new()
    {
        { GgmlType.F16, 0.0003, 1e-6 },
        { GgmlType.BF16, 0.002, 6e-5 },
        { GgmlType.Q8_0, 0, 1e-7 }, // the file's own type: nothing is lost but what activations of 16 bits cost
        { GgmlType.Q6_K, 0.018, 0.005 },
        { GgmlType.Q5_1, 0.038, 0.025 },
        { GgmlType.Q5_0, 0.043, 0.028 },
        { GgmlType.Q5_K, 0.036, 0.018 },
        { GgmlType.Q4_1, 0.079, 0.085 },
        { GgmlType.Q4_0, 0.087, 0.1 },
        { GgmlType.Q4_K, 0.072, 0.07 },
        { GgmlType.IQ4_NL, 0.074, 0.07 },
        { GgmlType.IQ4_XS, 0.075, 0.08 },
        { GgmlType.Q3_K, 0.145, 0.25 },
        { GgmlType.IQ3_S, 0.132, 0.25 },
        { GgmlType.IQ3_XXS, 0.18, 0.38 },
        { GgmlType.Q2_K, 0.27, 1.0 },
        { GgmlType.IQ2_S, 0.24, 0.75 },
        { GgmlType.IQ2_XS, 0.288, 1.1 },
        { GgmlType.IQ2_XXS, 0.33, 1.4 },
        { GgmlType.MXFP4, 0.113, 0.17 },
        { GgmlType.TQ2_0, 0.436, 3.4 },
        { GgmlType.TQ1_0, 0.436, 3.4 },
        { GgmlType.IQ1_M, 0.415, 2.9 },
        { GgmlType.IQ1_S, 0.447, 3.3 },
    };

    [Theory]
    [MemberData(nameof(Bounds))]
    public void Divergence_is_what_the_formats_error_explains(GgmlType type, double mostError, double mostDivergence)
    {
        (WeightError error, Divergence divergence) = model.Run.Measure(type);

        output.WriteLine($"{type}: error {error.Relative:P2}, mean KL {divergence.Mean:g3}, worst {divergence.Max:g3}, same best token {divergence.Agreement:P1}");
        Assert.InRange(error.Relative, 0, mostError);
        Assert.InRange(divergence.Mean, 0, Math.Min(mostDivergence, (MostPerSquaredError * mostError * mostError) + ActivationDivergence));
    }
}
