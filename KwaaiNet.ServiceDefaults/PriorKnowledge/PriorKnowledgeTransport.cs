using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace KwaaiNet.ServiceDefaults.PriorKnowledge;

/// <summary>Carries connections from the port that took them to the endpoint that speaks HTTP/2, inside the process: address and bytes stay those of the peer.</summary>
internal sealed class PriorKnowledgeTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is PriorKnowledgeEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new Listener(endpoint, _connections));

    /// <summary>Hands a connection over; done when it has been served.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        PriorKnowledgeConnection inner = new(connection);
        if (_connections.Writer.TryWrite(inner)) await inner.Served.ConfigureAwait(false);
        else connection.Abort(new ConnectionAbortedException("The host stops."));
    }

    private sealed class Listener(EndPoint endpoint, Channel<ConnectionContext> connections) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await connections.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (connections.Reader.TryRead(out ConnectionContext? connection)) return connection;
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            connections.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync(CancellationToken.None);
    }
}
