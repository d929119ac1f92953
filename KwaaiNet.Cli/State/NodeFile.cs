using System.Text.Json;

namespace KwaaiNet.Cli.State;

/// <summary><c>node.json</c> in a node's home, written by the node while it runs: where it listens.</summary>
/// <param name="Name">The node's name for people.</param>
/// <param name="NodeId">Its did:key.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Grpc">Its gRPC address, <c>https://host:port</c>; null when it serves none.</param>
/// <param name="Http">Its HTTP/1 address, <c>http://host:port</c>; null when it serves none.</param>
/// <param name="StartedUnixMs">When it started listening, in Unix milliseconds.</param>
internal sealed record NodeFile(string Name, string NodeId, int Pid, string? Grpc, string? Http, long StartedUnixMs)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "node.json";

    /// <summary>Reads the file in a home; null when no node runs there (or the file is not one of ours).</summary>
    /// <remarks>A node that was killed leaves its file behind: check that the process lives.</remarks>
    public static NodeFile? TryRead(string home)
    {
        try
        {
            NodeFile? file = JsonSerializer.Deserialize<NodeFile>(File.ReadAllBytes(Path.Combine(home, FileName)), JsonSerializerOptions.Web);
            return file is { Name: not null, NodeId: not null } ? file : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
