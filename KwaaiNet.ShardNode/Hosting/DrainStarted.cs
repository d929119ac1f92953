namespace KwaaiNet.ShardNode.Hosting;

/// <summary>What <c>POST /drain</c> answers.</summary>
/// <param name="Sessions">Sessions that are open, and may go on.</param>
/// <param name="Seconds">How long they may at most, in seconds; then the process ends.</param>
internal sealed record DrainStarted(int Sessions, int Seconds);
