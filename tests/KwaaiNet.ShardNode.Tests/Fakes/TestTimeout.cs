namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>How long a test waits for something that must happen. Generous: it is reached only when the test fails.</summary>
internal static class TestTimeout
{
    public static readonly TimeSpan Value = TimeSpan.FromSeconds(60);
}
