using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.ModelLab.Conversion;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>One model, quantised to one type after another and compared with itself in float32 on the same text.</summary>
internal sealed class AccuracyRun
{
    private readonly string _exact;
    private readonly string _folder;
    private readonly IReadOnlyList<int[]> _sequences;
    private readonly float[][][] _expected;

    /// <summary>Draws the text and computes what is right.</summary>
    /// <param name="model">The model; its weights, decoded to float32, are the exact ones.</param>
    /// <param name="folder">Where to keep the copies meanwhile.</param>
    /// <param name="tokens">Positions to compare, at least.</param>
    public AccuracyRun(string model, string folder, int tokens)
    {
        _folder = folder;
        _exact = Path.Combine(folder, "exact.gguf");
        QuantizedCopy.Write(model, _exact, GgmlType.F32);
        using ModelRun run = new(_exact);
        _sequences = TokenStream.Draw(run, tokens);
        _expected = [.. _sequences.Select(run.Logits)];
    }

    /// <summary>Quantises by our encoder, and measures.</summary>
    /// <exception cref="InvalidDataException">The model's rows do not fit the type's blocks.</exception>
    public (WeightError Error, Divergence Divergence) Measure(GgmlType type)
    {
        string copy = Path.Combine(_folder, $"{type}.gguf");
        try
        {
            return (QuantizedCopy.Write(_exact, copy, type), DivergenceOf(copy));
        }
        finally
        {
            File.Delete(copy);
        }
    }

    /// <summary>Quantises by llama.cpp, and measures with our engine; nulls where llama.cpp does not make the type alone.</summary>
    public (WeightError? Error, Divergence? Divergence) MeasurePeer(GgmlType type, Peer peer)
    {
        string copy = Path.Combine(_folder, $"{type}-peer.gguf");
        try
        {
            return peer.TryQuantize(_exact, copy, type.ToString()) ? (QuantizedCopy.Compare(_exact, copy), DivergenceOf(copy)) : (null, null);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private Divergence DivergenceOf(string copy)
    {
        using ModelRun run = new(copy);
        Divergence divergence = new();
        for (int i = 0; i < _sequences.Count; i++)
            divergence.Add(_expected[i], run.Logits(_sequences[i]));
        return divergence;
    }
}
