using System.Text.Json;

namespace KwaaiNet.Cli.State;

/// <summary>What a node wrote about itself into <c>node.json</c> once its ports were bound.</summary>
/// <param name="Name">Its name.</param>
/// <param name="NodeId">Its did:key.</param>
/// <param name="Pid">Its process; a file of an earlier run has another.</param>
/// <param name="Grpc"><c>https://host:port</c>; null when it serves no gRPC.</param>
/// <param name="Http"><c>http://host:port</c>; null when it serves no HTTP/1.</param>
/// <param name="StartedUnixMs">When it started.</param>
internal sealed record NodeFile(string Name, string NodeId, int Pid, string? Grpc, string? Http, long StartedUnixMs)
{
    /// <summary>Reads the file; null while it is missing or half written.</summary>
    public static NodeFile? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<NodeFile>(File.ReadAllText(path), JsonSerializerOptions.Web);
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
