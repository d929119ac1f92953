using KwaaiNet.Cli.Api;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>One request for a greedy answer.</summary>
/// <param name="Messages">The conversation so far.</param>
/// <param name="Tokens">The answer's greatest length; null: as long as there is room.</param>
/// <param name="EndsByItself">Whether the model may end its answer; otherwise it has the length asked for.</param>
internal sealed record BenchQuestion(IReadOnlyList<ApiMessage> Messages, int? Tokens, bool EndsByItself = false)
{
    /// <summary>A user's message behind a system message; an empty one is left out.</summary>
    public static BenchQuestion Of(string system, string user, int? tokens) =>
        new([.. system.Length > 0 ? [new ApiMessage("system", system)] : Array.Empty<ApiMessage>(), new ApiMessage("user", user)], tokens);
}
