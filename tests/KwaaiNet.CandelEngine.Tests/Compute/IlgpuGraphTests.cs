using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;
using KwaaiNet.CandelEngine.Tensors;
using static KwaaiNet.CandelEngine.Tests.Compute.ComputeBackendConformance;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Decode steps as graphs, with a recorder that stands in for the CUDA driver.</summary>
public sealed class IlgpuGraphTests
{
    [Fact]
    public void A_graph_that_gives_the_same_bits_is_used_from_then_on()
    {
        using SyntheticModel model = new(GgmlType.Q8_0);
        int[] tokens = Tokens(8);
        float[][] expected = Plain(model, tokens);
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        GraphPolicy graphs = ((IlgpuBlockStack)chain.First).Graphs;

        AssertSameBits(expected, chain.Logits(tokens, 1));

        Assert.Equal((1, 1, 7L), (recorder.Recorded, graphs.Count, graphs.Launches));
        Assert.True(graphs.IsOn);
        Assert.Null(graphs.Reason);
    }

    [Fact]
    public void Sessions_together_are_filled_up_and_get_the_bits_they_get_alone()
    {
        using SyntheticModel model = new(GgmlType.Q4_0);
        int[][] sequences = [Tokens(6, seed: 1), Tokens(4, seed: 2), Tokens(5, seed: 3)];
        float[][][] expected = [.. sequences.Select(s => Plain(model, s))];
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        KvCache[] caches = [.. sequences.Select(s => chain.First.CreateCache(0, SyntheticModel.Blocks))];

        // A prompt of its own for the first, so that positions differ; then all decode together.
        chain.First.Run([Step(caches[0], sequences[0][..2], HiddenFormat.F16, out _)]);
        for (int i = 0; i < 4; i++)
        {
            chain.First.Run([
                Step(caches[0], [sequences[0][2 + i]], HiddenFormat.F16, out float[] a),
                Step(caches[1], [sequences[1][i]], HiddenFormat.F16, out float[] b),
                Step(caches[2], [sequences[2][i]], HiddenFormat.F16, out float[] c),
            ]);
            AssertSameBits([expected[0][2 + i], expected[1][i], expected[2][i]], [a, b, c]);
        }

        GraphPolicy graphs = ((IlgpuBlockStack)chain.First).Graphs;
        Assert.Equal((1, 3L), (graphs.Count, graphs.Launches));
        foreach (KvCache cache in caches) cache.Dispose();
    }

    [Fact]
    public void Hidden_states_go_in_and_out_of_a_graph()
    {
        using SyntheticModel model = new(GgmlType.F32);
        int[] tokens = Tokens(5);
        float[][] expected = Plain(model, tokens);
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend, 1, 3);

        AssertSameBits(expected, chain.Logits(tokens, 1));

        Assert.Equal(3, recorder.Recorded);
    }

    [Fact]
    public void A_session_over_a_part_of_the_stack_leaves_the_others_their_graph()
    {
        using SyntheticModel model = new(GgmlType.Q4_0);
        int[][] sequences = [Tokens(4, seed: 1), Tokens(4, seed: 2), Tokens(4, seed: 3)];
        float[][][] expected = [.. sequences.Select(s => Plain(model, s))];
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        float[][] partly = PartOf(model, sequences[1]);
        KvCache[] caches =
        [
            chain.First.CreateCache(0, SyntheticModel.Blocks), chain.First.CreateCache(0, SyntheticModel.Blocks - 1), chain.First.CreateCache(0, SyntheticModel.Blocks),
        ];

        for (int i = 0; i < 4; i++)
        {
            var hidden = new float[model.File.Shape.Width];
            chain.First.Run([
                Step(caches[0], [sequences[0][i]], HiddenFormat.F16, out float[] a),
                new BlockStep { Cache = caches[1], Rows = 1, Tokens = new[] { sequences[1][i] }, Output = hidden, Boundary = HiddenFormat.F16 },
                Step(caches[2], [sequences[2][i]], HiddenFormat.F16, out float[] c),
            ]);
            AssertSameBits([expected[0][i], partly[i], expected[2][i]], [a, hidden, c]);
        }

        GraphPolicy graphs = ((IlgpuBlockStack)chain.First).Graphs;
        Assert.Equal((1, 3L), (graphs.Count, graphs.Launches));
        foreach (KvCache cache in caches) cache.Dispose();
    }

    [Fact]
    public void One_session_over_the_whole_stack_does_not_send_many_others_apart()
    {
        using SyntheticModel model = new(GgmlType.Q4_0);
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        KvCache[] caches = [chain.First.CreateCache(0, SyntheticModel.Blocks), chain.First.CreateCache(0, 1), chain.First.CreateCache(0, 1)];
        chain.First.Run([Step(caches[0], [1], HiddenFormat.F16, out _), Hidden(caches[1]), Hidden(caches[2])]);
        Assert.Equal(0, recorder.Recorded);
        foreach (KvCache cache in caches) cache.Dispose();

        BlockStep Hidden(KvCache cache) => new() { Cache = cache, Rows = 1, Tokens = new[] { 1 }, Output = new float[model.File.Shape.Width], Boundary = HiddenFormat.F16 };
    }

    [Fact]
    public void A_graph_that_does_nothing_is_found_out()
    {
        using SyntheticModel model = new(GgmlType.F32);
        int[] tokens = Tokens(4);
        float[][] expected = Plain(model, tokens);
        Recorder recorder = new(_ => { });
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        GraphPolicy graphs = ((IlgpuBlockStack)chain.First).Graphs;

        AssertSameBits(expected, chain.Logits(tokens, 1));

        Assert.False(graphs.IsOn);
        Assert.Contains("other bits", graphs.Reason, StringComparison.Ordinal);
        Assert.Equal((1, 1, 0), (recorder.Recorded, recorder.Disposed, graphs.Count));
    }

    [Fact]
    public void A_driver_without_graphs_is_asked_once()
    {
        using SyntheticModel model = new(GgmlType.F32);
        int[] tokens = Tokens(4);
        float[][] expected = Plain(model, tokens);
        Recorder recorder = new(null);
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        GraphPolicy graphs = ((IlgpuBlockStack)chain.First).Graphs;

        AssertSameBits(expected, chain.Logits(tokens, 1));

        Assert.False(graphs.IsOn);
        Assert.Equal("no graphs here", graphs.Reason);
        Assert.Equal(1, recorder.Recorded);
    }

    [Fact]
    public void A_mixture_of_experts_is_never_recorded()
    {
        using SyntheticModel model = new(SyntheticKind.Of("mixtral"));
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);

        chain.Logits(Tokens(2), 1);

        Assert.Equal(0, recorder.Recorded);
    }

    [Fact]
    public void A_decode_step_allocates_nothing_but_what_its_launches_do()
    {
        // ILGPU's CPU accelerator allocates in every launch. A graph is one, and this one's is empty once it is trusted.
        using SyntheticModel model = new(GgmlType.Q8_0);
        bool empty = false;
        Recorder recorder = new(launches =>
        {
            if (!empty) launches();
        });
        using IlgpuBackend backend = Backend(recorder);
        using StackChain chain = new(model.File, backend);
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks);
        BlockStep[] batch = [Step(cache, [5], HiddenFormat.F16, out _)];
        for (int i = 0; i < 3; i++) chain.First.Run(batch);
        empty = true;
        for (int i = 0; i < 20; i++) chain.First.Run(batch);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) chain.First.Run(batch);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Disposing_a_stack_disposes_its_graphs()
    {
        using SyntheticModel model = new(GgmlType.F32);
        Recorder recorder = new(launches => launches());
        using IlgpuBackend backend = Backend(recorder);
        using (StackChain chain = new(model.File, backend)) chain.Logits(Tokens(2), 1);

        Assert.Equal((1, 1), (recorder.Recorded, recorder.Disposed));
    }

    private static IlgpuBackend Backend(ILaunchRecorder recorder) => new(IlgpuDevice.OpenCpuAccelerator(), pieceRows: 8, recorder);

    private static float[][] Plain(SyntheticModel model, int[] tokens)
    {
        using IlgpuBackend backend = new(IlgpuDevice.OpenCpuAccelerator(), pieceRows: 8);
        using StackChain chain = new(model.File, backend);
        return chain.Logits(tokens, 1);
    }

    // Hidden states after all blocks but the last, a token at a time and alone.
    private static float[][] PartOf(SyntheticModel model, int[] tokens)
    {
        using IlgpuBackend backend = new(IlgpuDevice.OpenCpuAccelerator(), pieceRows: 8);
        using StackChain chain = new(model.File, backend);
        using KvCache cache = chain.First.CreateCache(0, SyntheticModel.Blocks - 1);
        return [.. tokens.Select(token =>
        {
            var hidden = new float[model.File.Shape.Width];
            chain.First.Run([new BlockStep { Cache = cache, Rows = 1, Tokens = new[] { token }, Output = hidden, Boundary = HiddenFormat.F16 }]);
            return hidden;
        })];
    }

    // What a graph launch does with the recorded launches; null for a driver that has no graphs. The simulator cannot record without running.
    private sealed class Recorder(Action<Action>? launch) : ILaunchRecorder
    {
        public int Recorded { get; private set; }

        public int Disposed { get; private set; }

        public ILaunchGraph Record(Action launches)
        {
            Recorded++;
            if (launch is null) throw new LaunchRecordingException("no graphs here");

            return new Graph(this, launches, launch);
        }

        private sealed class Graph(Recorder recorder, Action launches, Action<Action> launch) : ILaunchGraph
        {
            public void Launch() => launch(launches);

            public void Dispose() => recorder.Disposed++;
        }
    }
}
