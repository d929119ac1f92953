using System.Diagnostics;
using KwaaiNet.DemoModel.Model;
using KwaaiNet.DemoModel.Text;
using KwaaiNet.DemoModel.Tokens;
using static TorchSharp.torch;

namespace KwaaiNet.DemoModel.Training;

/// <summary>What a run shows of itself every few seconds.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="Loss">Mean loss since the last report, nats a token, answers counted fully and questions a tenth.</param>
/// <param name="HeldOutLoss">The same on conversations that are never trained on; null where it was not measured.</param>
/// <param name="TokensPerSecond">Speed since the last report.</param>
/// <param name="Remaining">Time left of the budget.</param>
internal sealed record TrainingReport(RunState State, double Loss, double? HeldOutLoss, double TokensPerSecond, TimeSpan Remaining);

/// <summary>Trains for a number of minutes, or until stopped; short windows first, the model's whole context in the last part.</summary>
internal sealed class Trainer(Llama model, BytePairVocabulary vocabulary, int seed, TimeSpan budget, string checkpointPath) : IDisposable
{
    private const int TokensPerStep = 2048;
    private const int ShortWindow = 512;
    private const double LongWindowsFrom = 0.85; // share of the budget
    private const double WarmUp = 0.02;
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_saveEvery = TimeSpan.FromMinutes(2);

    private readonly Optimizer _optimizer = new(model);
    private readonly ConversationGenerator _conversations = new(seed);
    private RunState _state;

    public void Resume() => _state = Checkpoint.Load(checkpointPath, model, _optimizer);

    /// <summary>Runs to the end of the budget, or to cancellation; either way the last state is saved.</summary>
    public RunState Run(Action<TrainingReport> report, CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        double before = _state.Seconds, lossSum = 0;
        long steps = 0, reportedTokens = _state.Tokens;
        TimeSpan lastReport = TimeSpan.Zero, lastSave = TimeSpan.Zero;
        WindowPacker? packer = null;
        int window = 0;
        while (_state.Seconds < budget.TotalSeconds && !cancellationToken.IsCancellationRequested)
        {
            double share = _state.Seconds / budget.TotalSeconds;
            int wanted = share < LongWindowsFrom ? ShortWindow : ModelShape.Context;
            if (packer is null || wanted != window)
                packer = new WindowPacker(_conversations, vocabulary, window = wanted, packer?.Next ?? _state.Conversation);

            lossSum += Step(packer, window, RateAt(share));
            steps++;
            _state = new RunState(_state.Step + 1, _state.Tokens + TokensPerStep, packer.Next, before + clock.Elapsed.TotalSeconds);

            if (clock.Elapsed - lastSave >= s_saveEvery)
            {
                Checkpoint.Save(checkpointPath, _state, model, _optimizer);
                lastSave = clock.Elapsed;
            }

            if (clock.Elapsed - lastReport >= s_reportEvery)
            {
                double speed = (_state.Tokens - reportedTokens) / (clock.Elapsed - lastReport).TotalSeconds;
                report(new TrainingReport(_state, lossSum / steps, null, speed, budget - TimeSpan.FromSeconds(_state.Seconds)));
                (lossSum, steps, reportedTokens, lastReport) = (0, 0, _state.Tokens, clock.Elapsed);
            }
        }

        Checkpoint.Save(checkpointPath, _state, model, _optimizer);
        report(new TrainingReport(_state, steps == 0 ? double.NaN : lossSum / steps, HeldOutLoss(windows: 32), 0, TimeSpan.Zero));
        return _state;
    }

    /// <summary>Mean loss on windows of conversations that come from another seed.</summary>
    public double HeldOutLoss(int windows)
    {
        using IDisposable noGradient = no_grad();
        WindowPacker packer = new(new ConversationGenerator(~seed), vocabulary, ShortWindow);
        double sum = 0;
        for (int i = 0; i < windows; i++)
        {
            using IDisposable scope = NewDisposeScope();
            sum += Loss(packer, ShortWindow, batch: 1).item<float>();
        }

        return sum / windows;
    }

    public void Dispose() => _optimizer.Dispose();

    /// <summary>A short rise, then a straight line down to nothing.</summary>
    private static double RateAt(double share) => Math.Min(1, share / WarmUp) * (1 - share);

    private double Step(WindowPacker packer, int window, double rate)
    {
        using IDisposable scope = NewDisposeScope();
        Tensor loss = Loss(packer, window, TokensPerStep / window);
        loss.backward();
        _optimizer.Step(_state.Step + 1, rate);
        return loss.item<float>();
    }

    private Tensor Loss(WindowPacker packer, int window, int batch)
    {
        long[] ids = new long[batch * (window + 1)];
        float[] weights = new float[ids.Length];
        for (int row = 0; row < batch; row++)
            packer.Fill(ids.AsSpan(row * (window + 1), window + 1), weights.AsSpan(row * (window + 1), window + 1));
        Tensor all = tensor(ids).reshape(batch, window + 1);
        Tensor counted = tensor(weights).reshape(batch, window + 1).narrow(1, 1, window).reshape(-1);
        Tensor scores = model.Forward(all.narrow(1, 0, window));
        Tensor losses = nn.functional.cross_entropy(scores, all.narrow(1, 1, window).reshape(-1), reduction: nn.Reduction.None);
        return (losses * counted).sum() / counted.sum();
    }
}
