namespace KwaaiNet.Network.Tests.Harness;

/// <summary>A folder of a test's own.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kwaainet-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
