using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>Decides step by step whether launches are made one by one or as a recorded graph, and trusts a graph only after it gave the same bits.</summary>
/// <remarks>
/// The first step of a kind runs one by one, which also loads its kernels; then the same launches are recorded, run as a graph, and the
/// results compared. Equal bits: every later step of the kind is a graph launch. Anything else, and graphs are off for the stack, with
/// the reason kept.
/// </remarks>
/// <param name="recorder">Records launches; null where devices cannot.</param>
internal sealed class GraphPolicy(ILaunchRecorder? recorder) : IDisposable
{
    private readonly Dictionary<StepKind, ILaunchGraph> _graphs = [];

    /// <summary>Whether graphs are tried and used.</summary>
    internal bool IsOn { get; private set; } = recorder is not null;

    /// <summary>Why graphs are off; null while they are on, or were never asked for.</summary>
    internal string? Reason { get; private set; }

    /// <summary>Kinds of steps that run as a graph.</summary>
    internal int Count => _graphs.Count;

    /// <summary>Graph launches so far.</summary>
    internal long Launches { get; private set; }

    /// <summary>Launches a step's graph, if the kind has one.</summary>
    internal bool TryLaunch(StepKind kind)
    {
        if (!IsOn || !_graphs.TryGetValue(kind, out ILaunchGraph? graph)) return false;

        Launches++;
        graph.Launch();
        return true;
    }

    /// <summary>Records a step that has just run one by one, runs it again as a graph, and takes the graph on if the results are the same.</summary>
    /// <param name="kind">The step's kind.</param>
    /// <param name="launches">Launches it.</param>
    /// <param name="restore">Brings back what the step started from.</param>
    /// <param name="results">Waits, and copies the results that lie on the device.</param>
    internal void Learn(StepKind kind, Action launches, Action restore, Func<float[]> results)
    {
        if (!IsOn) return;

        float[] expected = results();
        ILaunchGraph? graph = null;
        try
        {
            graph = recorder!.Record(launches);
            restore();
            graph.Launch();
            if (SameBits(results(), expected))
            {
                _graphs.Add(kind, graph);
                return;
            }

            TurnOff($"a recorded step of {kind.Rows} rows gave other bits than the same launches one by one");
        }
        catch (LaunchRecordingException e)
        {
            TurnOff(e.Message);
        }

        graph?.Dispose();

        // The graph may have left anything: the step's results are those of its launches.
        restore();
        launches();
    }

    public void Dispose()
    {
        foreach (ILaunchGraph graph in _graphs.Values) graph.Dispose();
        _graphs.Clear();
        IsOn = false;
    }

    private static bool SameBits(float[] a, float[] b) => MemoryMarshal.AsBytes<float>(a).SequenceEqual(MemoryMarshal.AsBytes<float>(b));

    private void TurnOff(string reason)
    {
        Dispose();
        Reason = reason;
    }
}
