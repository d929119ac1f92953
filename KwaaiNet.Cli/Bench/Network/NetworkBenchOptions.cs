using KwaaiNet.Cli.Models;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>What <c>kwaainet bench network</c> is to measure.</summary>
/// <param name="Model">The model's file.</param>
/// <param name="Shards">Shard nodes that share its blocks.</param>
/// <param name="Users">Requests in flight at once.</param>
/// <param name="Prompt">Tokens of each user's message; the chat template's come on top.</param>
/// <param name="Generate">Tokens of each answer.</param>
/// <param name="SharedPrefix">Of the prompt, the first tokens that are the same for all users, as a system message.</param>
/// <param name="Rounds">How often all users ask; each time another question.</param>
/// <param name="RoundTrip">How far the shards are from one another and from the API node; zero: on this machine.</param>
/// <param name="Backend">What shards compute on.</param>
/// <param name="Engine">Whether the engine alone is measured on the same file before and after.</param>
/// <param name="WhilePrompt">Tokens of a prompt that is computed while the users decode, to see what they notice of it; 0: none.</param>
/// <param name="Settings">Further settings for every node, by the hosts' own keys.</param>
internal sealed record NetworkBenchOptions(
    LocalModel Model,
    int Shards,
    int Users,
    int Prompt,
    int Generate,
    int SharedPrefix,
    int Rounds,
    TimeSpan RoundTrip,
    string Backend,
    bool Engine,
    int WhilePrompt,
    IReadOnlyDictionary<string, string> Settings);
