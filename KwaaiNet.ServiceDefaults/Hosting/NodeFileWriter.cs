using System.Text.Json;
using System.Text.Json.Serialization;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>
/// Writes <c>node.json</c> in a node's home, there while the node runs: how other programs on the machine find it.
/// <code>{ "name": "shard-1", "nodeId": "did:key:z6Mk…", "pid": 4711, "grpc": "https://host:port" or null, "http": "http://host:port" or null, "startedUnixMs": 1790000000000 }</code>
/// </summary>
/// <remarks>A node that was killed leaves its file behind: readers check that the process lives.</remarks>
internal static class NodeFileWriter
{
    /// <summary>The file's name.</summary>
    public const string FileName = "node.json";

    /// <summary>Writes the file and returns its path. Readers see the whole file or none: it is written beside its place and moved there.</summary>
    public static string Write(string home, NodeFileContent node)
    {
        Directory.CreateDirectory(home);
        string path = Path.Combine(home, FileName);
        string draft = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(node, NodeFileJson.Default.NodeFileContent));
        File.Move(draft, path, overwrite: true);
        return path;
    }

    /// <summary>Deletes a file that this process wrote. A node that was started in the same home meanwhile keeps its own.</summary>
    public static void Delete(string path)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), NodeFileJson.Default.NodeFileContent)?.Pid == Environment.ProcessId)
                File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            // A file left behind names a process that is gone; its readers check.
        }
    }
}

/// <summary>What <c>node.json</c> says.</summary>
/// <param name="Name">The node's name for people.</param>
/// <param name="NodeId">Its did:key.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Grpc">Its gRPC address, <c>https://host:port</c>; null when it serves none.</param>
/// <param name="Http">Its HTTP/1 address, <c>http://host:port</c>; null when it serves none.</param>
/// <param name="StartedUnixMs">When it started listening, in Unix milliseconds.</param>
internal sealed record NodeFileContent(string Name, string NodeId, int Pid, string? Grpc, string? Http, long StartedUnixMs);

/// <summary>Source-generated JSON of <see cref="NodeFileContent"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(NodeFileContent))]
internal sealed partial class NodeFileJson : JsonSerializerContext;
