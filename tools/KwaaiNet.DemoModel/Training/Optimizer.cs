using KwaaiNet.DemoModel.Model;
using static TorchSharp.torch;

namespace KwaaiNet.DemoModel.Training;

/// <summary>Muon for the blocks' matrices, Adam for the embedding and the norms.</summary>
/// <remarks>
/// Muon (Jordan et al., 2024) replaces a matrix's momentum by the nearest orthogonal matrix, found by five Newton-Schulz steps; on a
/// model this small and a budget of minutes it needs markedly fewer tokens than Adam does.
/// </remarks>
internal sealed class Optimizer : IDisposable
{
    private const double MuonRate = 0.02, MuonMomentum = 0.95;
    private const double AdamRate = 0.003, AdamBeta1 = 0.9, AdamBeta2 = 0.95, AdamEpsilon = 1e-8;

    private readonly Llama _model;
    private readonly Dictionary<string, Tensor> _state = new(StringComparer.Ordinal);

    public Optimizer(Llama model)
    {
        _model = model;
        foreach ((string name, Tensor weight) in model.Weights)
        {
            _state.Add("first." + name, zeros_like(weight, requires_grad: false).DetachFromDisposeScope());
            if (!UsesMuon(name))
                _state.Add("second." + name, zeros_like(weight, requires_grad: false).DetachFromDisposeScope());
        }
    }

    /// <summary>Moments by name, to be saved with the weights.</summary>
    public IReadOnlyDictionary<string, Tensor> State => _state;

    /// <summary>Moves every weight along its gradient and clears the gradients.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="rate">The schedule's factor, 0 to 1.</param>
    public void Step(long step, double rate)
    {
        using IDisposable noGradient = no_grad();
        using IDisposable scope = NewDisposeScope();
        foreach ((string name, Tensor weight) in _model.Weights)
        {
            Tensor gradient = weight.grad ?? throw new InvalidOperationException($"'{name}' has no gradient.");
            Tensor first = _state["first." + name];
            if (UsesMuon(name))
            {
                first.mul_(MuonMomentum).add_(gradient);
                Tensor direction = Orthogonalize(gradient + (first * MuonMomentum));
                double scale = Math.Sqrt(Math.Max(1.0, (double)weight.shape[0] / weight.shape[1]));
                weight.add_(direction, alpha: -MuonRate * scale * rate);
            }
            else
            {
                Tensor second = _state["second." + name];
                first.mul_(AdamBeta1).add_(gradient, alpha: 1 - AdamBeta1);
                second.mul_(AdamBeta2).add_(gradient.square(), alpha: 1 - AdamBeta2);
                double correction1 = 1 - Math.Pow(AdamBeta1, step), correction2 = 1 - Math.Pow(AdamBeta2, step);
                Tensor divisor = (second / correction2).sqrt() + AdamEpsilon;
                weight.sub_(first / divisor * (AdamRate * rate / correction1));
            }

            gradient.zero_();
        }
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _state.Values)
            tensor.Dispose();
    }

    private static bool UsesMuon(string name) => name.StartsWith("blk.", StringComparison.Ordinal) && !name.Contains("_norm", StringComparison.Ordinal);

    private static Tensor Orthogonalize(Tensor matrix)
    {
        bool tall = matrix.shape[0] > matrix.shape[1];
        Tensor x = tall ? matrix.t().contiguous() : matrix;
        x = x / (x.norm() + 1e-7);
        for (int i = 0; i < 5; i++)
        {
            Tensor square = x.matmul(x.t());
            x = (x * 3.4445) + ((square * -4.7750) + (square.matmul(square) * 2.0315)).matmul(x);
        }

        return tall ? x.t() : x;
    }
}
