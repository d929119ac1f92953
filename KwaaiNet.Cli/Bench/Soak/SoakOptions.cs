using KwaaiNet.Cli.Models;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What <c>kwaainet bench soak</c> is to do.</summary>
/// <param name="Model">The model's file.</param>
/// <param name="Shards">Parts its blocks are cut into.</param>
/// <param name="Replicas">Nodes that hold each part.</param>
/// <param name="Users">Those who ask; each waits for an answer before the next question.</param>
/// <param name="Duration">How long they ask; what is under way then is waited for.</param>
/// <param name="Requests">How many requests they send in place of <paramref name="Duration"/>; null: as many as that time allows.</param>
/// <param name="Seed">What everything is drawn from.</param>
/// <param name="Backend">What shards compute on.</param>
/// <param name="Settings">Further settings for every node, by the hosts' own keys.</param>
internal sealed record SoakOptions(
    LocalModel Model, int Shards, int Replicas, int Users, TimeSpan Duration, int? Requests, int Seed, string Backend, IReadOnlyDictionary<string, string> Settings);
