using System.Text.Json;

namespace KwaaiNet.Cli.State;

/// <summary>Reads and writes <c>run/network.json</c>.</summary>
internal static class NetworkStateFile
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What was last written; null when nothing was, or when it cannot be read (an older version's, or cut short).</summary>
    public static NetworkState? Read(KwaaiNetHome home)
    {
        try
        {
            return JsonSerializer.Deserialize<NetworkState>(File.ReadAllText(home.StateFile), s_json);
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The network that runs now; null when there is none. A file left by a supervisor that was killed does not count.</summary>
    public static NetworkState? ReadRunning(KwaaiNetHome home) =>
        Read(home) is { } state && state.Supervisor.IsRunning() ? state : null;

    /// <summary>Replaces the file as a whole: a reader sees the old state or the new one, never half of one.</summary>
    public static void Write(KwaaiNetHome home, NetworkState state)
    {
        Directory.CreateDirectory(home.RunFolder);
        string draft = home.StateFile + ".new";
        File.WriteAllText(draft, JsonSerializer.Serialize(state, s_json));
        File.Move(draft, home.StateFile, overwrite: true);
    }

    /// <summary>Removes the file, if there is one: in a home where nothing was ever up there is not even its folder.</summary>
    public static void Delete(KwaaiNetHome home)
    {
        if (Directory.Exists(home.RunFolder))
        {
            File.Delete(home.StateFile);
        }
    }
}
