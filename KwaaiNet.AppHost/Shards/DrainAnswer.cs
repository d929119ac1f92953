namespace KwaaiNet.AppHost.Shards;

/// <summary>What a shard answers when it is told to drain.</summary>
/// <param name="Sessions">Sessions that are open there.</param>
/// <param name="Seconds">How long they may go on, in seconds.</param>
internal sealed record DrainAnswer(int Sessions, int Seconds);
