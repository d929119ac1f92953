namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>A user has a conversation.</summary>
/// <param name="Pause">What passes before the first turn.</param>
/// <param name="Conversation">Which one, by its place in the plan.</param>
/// <param name="Leaves">The turn in whose answer the user goes away, from 0 on; null: stays to the end.</param>
/// <param name="LeavesAfter">Pieces of text that are read of that answer.</param>
internal sealed record SoakVisit(TimeSpan Pause, int Conversation, int? Leaves, int LeavesAfter);
