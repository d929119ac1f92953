using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>The reading of one direction of a link, whatever its messages are.</summary>
internal interface ILinkReading
{
    /// <summary>Reads on the calling thread until the direction ends.</summary>
    void Run();

    /// <summary>Ends the direction for its reader, whatever the connection does; a thread that waits to be asked for a message goes on to its end.</summary>
    void End(Status status);
}
