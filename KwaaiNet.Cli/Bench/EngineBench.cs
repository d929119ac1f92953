using System.Diagnostics;
using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Checks;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.Cli.Devices;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench;

/// <summary>Measures the engine alone: one process, no network, the whole model.</summary>
/// <remarks>
/// The prompt is a fixed pseudo-random one, the same as that of the comparison with llama.cpp in docs/performance.md, so that decoded
/// ids can be compared. Decoding is greedy.
/// </remarks>
internal static class EngineBench
{
    private const int WarmUpPrompt = 32;
    private const int WarmUpTokens = 4;

    // The runtime compiles what is called often a second time, beside what runs, about a tenth of a second after it began to be.
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(0.5);

    // Tokens between two sweeps of memory.
    private const int TokensPerSweep = 4;

    // The first steps of a batch size may compile, and record what later ones repeat.
    private const int WarmUpSteps = 3;

    /// <exception cref="CommandFailure">There is no such device.</exception>
    /// <exception cref="ModelFormatException">The file cannot be run.</exception>
    /// <exception cref="KvExhaustedException">The sessions' keys and values do not fit the memory there is.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static EngineBenchResult Run(EngineBenchOptions options, Action<string, double> progress, CancellationToken cancellationToken)
    {
        long began = Stopwatch.GetTimestamp();
        using ModelFile model = ModelFile.Open(options.ModelPath);
        int blocks = model.Shape.BlockCount;
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        using IComputeBackend backend = DeviceOption.Open(options.Backend, options.Device, threads);
        BlockStackOptions whole = new()
        {
            FirstBlock = 0,
            EndBlock = blocks,
            Embedding = true,
            OutputHead = true,
            KvBudgetBytes = KvBudget.For(model.Shape, options.Batch, Math.Max(options.Prompt, WarmUpPrompt) + options.Generate + WarmUpTokens),
            KvFormat = options.KvFormat,
        };
        using IBlockStack stack = backend.Load(model, whole, new Told(fraction => progress("load", fraction)), cancellationToken);
        double load = Stopwatch.GetElapsedTime(began).TotalMilliseconds;

        int[] prompt = Prompt(options.Prompt, model.Shape.VocabularySize);
        WarmUp(stack, backend.Name == "cpu" ? prompt.AsMemory(0, Math.Min(WarmUpPrompt, prompt.Length)) : prompt);
        Session[] sessions = [.. Enumerable.Range(0, options.Batch).Select(_ => new Session(stack, prompt.Length + options.Generate))];
        try
        {
            double prefill = Prefill(stack, sessions, prompt, progress, cancellationToken);
            if (backend.Name != "cpu") WarmUp(stack, sessions);
            Decoded decoded = Decode(stack, sessions, options.Generate, backend.Name == "cpu" ? threads : 0, progress, cancellationToken);
            double decode = decoded.Seconds;
            double gigabytes = BytesOfStep(model, stack) * (options.Generate / decode) / 1e9;
            double bandwidth = DeviceBandwidth.Measure(backend) / 1e9 ?? decoded.Bandwidth;
            return new EngineBenchResult
            {
                Model = model.Name,
                Weights = model.WeightFormat,
                Backend = backend.Name,
                Device = backend.Device.Name,
                DeviceKind = backend.Device.Kind,
                Threads = threads,
                Prompt = prompt.Length,
                Generate = options.Generate,
                Batch = options.Batch,
                LoadMilliseconds = Math.Round(load, 1),
                PrefillTokensPerSecond = Math.Round(prompt.Length / prefill, 2),
                DecodeTokensPerSecond = Math.Round(options.Batch * options.Generate / decode, 2),
                BandwidthGigabytesPerSecond = Math.Round(gigabytes, 2),
                BandwidthShare = Math.Round(gigabytes / bandwidth, 3),
                DeviceBandwidthGigabytesPerSecond = Math.Round(bandwidth, 2),
                PeakMemoryMebibytes = Math.Round(decoded.PeakMebibytes, 1),
                Ids = sessions[0].Ids,
            };
        }
        finally
        {
            foreach (Session session in sessions) session.Step.Cache.Dispose();
        }
    }

    /// <summary>Ordinary ids, spread over a range that every vocabulary has beyond its control and byte tokens.</summary>
    internal static int[] Prompt(int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(i => (259 + (int)(i * 7919L % 241)) % vocabulary)];

    // One row of an embedding is read a token; all of it only where it is the output matrix too.
    private static long BytesOfStep(ModelFile model, IBlockStack stack) =>
        model.TryGetTensor("output.weight", out _) && model.TryGetTensor("token_embd.weight", out TensorData embedding)
            ? stack.WeightBytes - embedding.ByteLength
            : stack.WeightBytes;

    private static void WarmUp(IBlockStack stack, ReadOnlyMemory<int> prompt)
    {
        Session session = new(stack, prompt.Length + WarmUpTokens);
        session.Enter(prompt);
        stack.Run([session.Step]);
        int length = session.Step.Cache.Length;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < WarmUpTokens || Stopwatch.GetElapsedTime(began) < s_warmUp; i++)
        {
            if (session.Step.Cache.Length == session.Capacity) session.Step.Cache.Truncate(length);
            session.Next(keep: false);
            stack.Run([session.Step]);
        }

        session.Step.Cache.Dispose();
    }

    // The batch itself, some steps ahead and back again.
    private static void WarmUp(IBlockStack stack, Session[] sessions)
    {
        BlockStep[] steps = [.. sessions.Select(session => session.Step)];
        float[][] logits = [.. sessions.Select(session => session.Step.Logits.ToArray())];
        int length = sessions[0].Step.Cache.Length;
        int ahead = Math.Min(WarmUpSteps, sessions[0].Capacity - length);
        for (int i = 0; i < ahead; i++)
        {
            foreach (Session session in sessions) session.Next(keep: false);
            stack.Run(steps);
        }

        for (int i = 0; i < sessions.Length; i++)
        {
            sessions[i].Step.Cache.Truncate(length);
            logits[i].CopyTo(sessions[i].Step.Logits);
        }
    }

    // The sessions' prompts one after the other; the time of the last, when everything is warm.
    private static double Prefill(IBlockStack stack, Session[] sessions, int[] prompt, Action<string, double> progress, CancellationToken cancellationToken)
    {
        double seconds = 0;
        for (int i = 0; i < sessions.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress("prefill", (double)i / sessions.Length);
            sessions[i].Enter(prompt);
            long began = Stopwatch.GetTimestamp();
            stack.Run([sessions[i].Step]);
            seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        return seconds;
    }

    // In the second half of the tokens the processor's memory is swept in between; the buffer for it does not count as memory held.
    private static Decoded Decode(IBlockStack stack, Session[] sessions, int tokens, int sweepThreads, Action<string, double> progress, CancellationToken cancellationToken)
    {
        BlockStep[] steps = [.. sessions.Select(session => session.Step)];
        MemoryBandwidth? memory = null;
        try
        {
            double seconds = 0;
            double peak = 0;
            for (int i = 0; i < tokens; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress("decode", (double)i / tokens);
                long began = Stopwatch.GetTimestamp();
                foreach (Session session in sessions) session.Next(keep: true);
                stack.Run(steps);
                seconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
                if (i == tokens / 2) peak = Process.GetCurrentProcess().PeakWorkingSet64 / (double)(1 << 20);
                if (sweepThreads > 0 && i >= tokens / 2 && (i % TokensPerSweep == 0 || i == tokens - 1)) (memory ??= new MemoryBandwidth(sweepThreads)).Sweep();
            }

            return new Decoded(seconds, peak, memory?.Median ?? 0);
        }
        finally
        {
            memory?.Dispose();
        }
    }

    /// <summary>What decoding took.</summary>
    /// <param name="Seconds">Of the steps alone.</param>
    /// <param name="PeakMebibytes">Most memory the process held until half of the tokens were there.</param>
    /// <param name="Bandwidth">What the processor's threads read of memory meanwhile, 10^9 bytes a second; 0 where another device computes.</param>
    private readonly record struct Decoded(double Seconds, double PeakMebibytes, double Bandwidth);

    /// <summary>One session: its cache, its step, and what it decoded.</summary>
    private sealed class Session
    {
        private readonly int[] _token = new int[1];
        private readonly float[] _logits;

        public Session(IBlockStack stack, int capacity)
        {
            _logits = new float[stack.Shape.VocabularySize];
            Capacity = capacity;
            Step = new BlockStep
            {
                Cache = stack.CreateCache(0, stack.Shape.BlockCount),
                Rows = 1,
                Logits = _logits,
                Boundary = stack.Shape.HiddenExceedsHalf ? HiddenFormat.F32 : HiddenFormat.F16,
            };
        }

        public BlockStep Step { get; }

        /// <summary>Positions it is about.</summary>
        public int Capacity { get; }

        public List<int> Ids { get; } = [];

        public void Enter(ReadOnlyMemory<int> prompt)
        {
            Step.Rows = prompt.Length;
            Step.Tokens = prompt;
        }

        public void Next(bool keep)
        {
            _token[0] = TensorPrimitives.IndexOfMax<float>(_logits);
            if (keep) Ids.Add(_token[0]);
            Step.Rows = 1;
            Step.Tokens = _token;
        }
    }

    /// <summary>Progress told on the spot: the thread that loads is the one that shows.</summary>
    private sealed class Told(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
