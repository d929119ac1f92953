using System.Text.Json;
using System.Text.Json.Serialization;

namespace KwaaiNet.Protocol.Transport;

/// <summary><c>node.json</c> in a node's home, there while the node runs: how other programs on the machine find it.</summary>
/// <param name="Name">The node's name for people.</param>
/// <param name="NodeId">Its did:key.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Grpc">Its gRPC address, <c>https://host:port</c>; null when it serves none.</param>
/// <param name="Http">Its HTTP/1 address, <c>http://host:port</c>; null when it serves none.</param>
/// <param name="StartedUnixMs">When it started listening, in Unix milliseconds.</param>
public sealed record NodeFile(string Name, string NodeId, int Pid, string? Grpc, string? Http, long StartedUnixMs)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "node.json";

    /// <summary>Reads the file in a home; null when no node runs there (or the file is not one of ours).</summary>
    /// <remarks>A node that was killed leaves its file behind: check that the process lives.</remarks>
    public static NodeFile? TryRead(string home)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(home, FileName)), NodeFileJson.Default.NodeFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    // Readers see the whole file or none: it is written beside its place and moved there.
    internal static string Write(string home, NodeFile node)
    {
        Directory.CreateDirectory(home);
        string path = Path.Combine(home, FileName);
        string draft = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(node, NodeFileJson.Default.NodeFile));
        File.Move(draft, path, overwrite: true);
        return path;
    }

    internal static void Delete(string path)
    {
        try
        {
            // A node that was started in the same home meanwhile keeps its file.
            if (TryRead(Path.GetDirectoryName(path)!)?.Pid == Environment.ProcessId)
                File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A file left behind names a process that is gone; its readers check.
        }
    }
}

/// <summary>Source-generated JSON of <see cref="NodeFile"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(NodeFile))]
internal sealed partial class NodeFileJson : JsonSerializerContext;
