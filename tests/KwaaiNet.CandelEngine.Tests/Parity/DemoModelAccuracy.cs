using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>The demo model in float32 and what it says about its own text; made once for all types.</summary>
public sealed class DemoModelAccuracy : IDisposable
{
    private const int Tokens = 512;

    private readonly TempFolder _folder = new();
    private readonly Lazy<AccuracyRun> _run;

    public DemoModelAccuracy() => _run = new(() => new AccuracyRun(RepositoryFile.PathOf("models", "kwaai-demo.gguf"), _folder.Path, Tokens));

    internal AccuracyRun Run => _run.Value;

    public void Dispose() => _folder.Dispose();
}
