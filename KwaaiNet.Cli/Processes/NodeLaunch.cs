namespace KwaaiNet.Cli.Processes;

/// <summary>Everything needed to start one node.</summary>
/// <param name="Name">Its name: <c>shard-1</c>.</param>
/// <param name="Program">The host's assembly name.</param>
/// <param name="Settings">Its configuration, by the host's own keys: <c>Node:HttpPort</c>.</param>
internal sealed record NodeLaunch(string Name, string Program, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>The same launch with some settings added or replaced.</summary>
    public NodeLaunch With(params (string Key, string? Value)[] settings)
    {
        Dictionary<string, string> merged = new(Settings);
        foreach ((string key, string? value) in settings)
        {
            if (value is not null)
            {
                merged[key] = value;
            }
        }

        return this with { Settings = merged };
    }
}
