using System.Net;

namespace KwaaiNet.ServiceDefaults.PriorKnowledge;

/// <summary>Where Kestrel listens for the connections of the HTTP port that begin with HTTP/2: no address, nobody can dial it.</summary>
internal sealed class PriorKnowledgeEndPoint : EndPoint
{
    /// <summary>What the host's log says it listens on.</summary>
    public override string ToString() => "http2-on-the-http-port";
}
