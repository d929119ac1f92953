using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Devices;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench;

/// <summary>Runs a model on an accelerator beside the processor, token by token, and compares every distribution.</summary>
/// <remarks>
/// The processor decodes greedily; the device is fed the processor's tokens, so one near tie does not make two stories of what follows.
/// Where it would have chosen the same throughout, it would have written the same by itself.
/// </remarks>
internal static class EngineParity
{
    /// <exception cref="CommandFailure">There is no such device.</exception>
    /// <exception cref="ModelFormatException">The file cannot be run.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static EngineParityResult Run(EngineParityOptions options, Action<string, double> progress, CancellationToken cancellationToken)
    {
        using ModelFile model = ModelFile.Open(options.ModelPath);
        int[] prompt = options.Text is null ? EngineBench.Prompt(options.Prompt, model.Shape.VocabularySize) : Encode(model, options.Text);
        using IComputeBackend processor = DeviceOption.Open("cpu", null, threads: 0);
        using IComputeBackend device = DeviceOption.Open(options.Backend, options.Device, threads: 0);
        using Session there = new(processor, model, prompt.Length + options.Generate, cancellationToken);
        using Session here = new(device, model, prompt.Length + options.Generate, cancellationToken);
        there.Run(prompt);
        here.Run(prompt);

        List<int> ids = [];
        int same = 0;
        int? parted = null;
        double? lead = null;
        double sum = 0, most = 0, mostWhereParted = 0;
        while (ids.Count < options.Generate)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress("compare", (double)ids.Count / options.Generate);
            double divergence = Divergence(there.Logits, here.Logits);
            sum += divergence;
            most = Math.Max(most, divergence);
            int id = TensorPrimitives.IndexOfMax<float>(there.Logits);
            int choice = TensorPrimitives.IndexOfMax<float>(here.Logits);
            if (choice == id)
            {
                same++;
            }
            else
            {
                mostWhereParted = Math.Max(mostWhereParted, divergence);
                if (parted is null) (parted, lead) = (ids.Count, there.Logits[id] - there.Logits[choice]);
            }

            ids.Add(id);
            if (ids.Count == options.Generate) break;

            there.Run([id]);
            here.Run([id]);
        }

        return new EngineParityResult
        {
            Model = model.Name,
            Weights = model.WeightFormat,
            Device = device.Device.Name,
            DeviceKind = device.Device.Kind,
            Processor = processor.Device.Name,
            Generate = options.Generate,
            Same = same,
            PartedAt = parted,
            LeadAtParting = lead,
            MeanDivergence = sum / options.Generate,
            MaxDivergence = most,
            MaxDivergenceWhereParted = mostWhereParted,
            Ids = ids,
        };
    }

    // A device that gives numbers no distribution can be made of is as far away as can be, in JSON too.
    private static double Divergence(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        double expectedSum = LogSum(expected);
        double actualSum = LogSum(actual);
        double divergence = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double log = expected[i] - expectedSum;
            divergence += Math.Exp(log) * (log - (actual[i] - actualSum));
        }

        return double.IsFinite(divergence) ? Math.Max(0, divergence) : double.MaxValue;
    }

    private static double LogSum(ReadOnlySpan<float> logits)
    {
        double most = TensorPrimitives.Max(logits);
        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp(logit - most);
        return most + Math.Log(sum);
    }

    private static int[] Encode(ModelFile model, string text)
    {
        int[] ids = model.Tokenizer.Encode(text);
        if (model.Tokenizer is { AddBos: true, BosId: { } bos }) ids = [bos, .. ids];
        return ids.Length > 0 ? ids : throw new CommandFailure("--text has no tokens.", "some words.");
    }

    /// <summary>A whole model on one device, with one session.</summary>
    private sealed class Session : IDisposable
    {
        private readonly IBlockStack _stack;
        private readonly BlockStep _step;
        private readonly float[] _logits;

        public Session(IComputeBackend backend, ModelFile model, int capacity, CancellationToken cancellationToken)
        {
            BlockStackOptions whole = new() { FirstBlock = 0, EndBlock = model.Shape.BlockCount, Embedding = true, OutputHead = true, KvBudgetBytes = KvBudget.For(model.Shape, 1, capacity) };
            _stack = backend.Load(model, whole, null, cancellationToken);
            _logits = new float[model.Shape.VocabularySize];
            _step = new BlockStep
            {
                Cache = _stack.CreateCache(0, model.Shape.BlockCount),
                Rows = 1,
                Logits = _logits,
                Boundary = model.Shape.HiddenExceedsHalf ? HiddenFormat.F32 : HiddenFormat.F16,
            };
        }

        public ReadOnlySpan<float> Logits => _logits;

        public void Run(int[] tokens)
        {
            _step.Rows = tokens.Length;
            _step.Tokens = tokens;
            _stack.Run([_step]);
        }

        public void Dispose()
        {
            _step.Cache.Dispose();
            _stack.Dispose();
        }
    }
}
