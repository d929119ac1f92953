using System.Text;
using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>The duplex methods of gRPC services that links may call. Filled by the generated <c>BindService</c>.</summary>
public sealed class LinkServices : ServiceBinderBase
{
    // How long a client may take to close, once it has been told that its call is over.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Func<LinkConnection, LinkServerCallContext, (Task Handler, ILinkReading Reading)>> _methods = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(handler);
        _methods.Add(method.FullName, (link, context) =>
        {
            // A client that has finished is still to be answered; any other end is the call's.
            LinkReader<TRequest> reader = new(link, method.RequestMarshaller, status =>
            {
                if (status.StatusCode != StatusCode.OK) context.Cancel();
            });
            link.OnBroken(context.Cancel);
            return (handler(reader, new LinkWriter<TResponse>(link, method.ResponseMarshaller), context), reader);
        });
    }

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
    }

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
    }

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
    }

    /// <summary>Serves one connection on the calling thread until it ends.</summary>
    internal void Serve(LinkConnection link, string nodeId, CancellationToken stopping)
    {
        using LinkServerCallContext context = new(link, nodeId, stopping);
        try
        {
            (LinkFrameKind kind, ReadOnlyMemory<byte> payload) = link.Read();
            string name = kind == LinkFrameKind.Call ? Encoding.UTF8.GetString(payload.Span) : "";
            if (!_methods.TryGetValue(name, out Func<LinkConnection, LinkServerCallContext, (Task Handler, ILinkReading Reading)>? method))
            {
                End(link, new Status(StatusCode.Unimplemented, "No such method is served over links."));
                return;
            }

            context.SetMethod(name);
            (Task handler, ILinkReading reading) = method(link, context);
            Task ended = EndAsync(link, handler, reading);
            reading.Run();
            // The handler has heard of the end; what it still writes has its own limits.
            ended.GetAwaiter().GetResult();
            link.WaitUntilPeerCloses(s_patience);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or ObjectDisposedException)
        {
            link.Break(error.Message);
        }
        finally
        {
            link.Dispose();
        }
    }

    private static async Task EndAsync(LinkConnection link, Task handler, ILinkReading reading)
    {
        await handler.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        End(link, handler.Exception?.InnerException switch
        {
            null when handler.IsCanceled => new Status(StatusCode.Cancelled, ""),
            null => Status.DefaultSuccess,
            RpcException failure => failure.Status,
            _ => new Status(StatusCode.Unknown, "The call failed."),
        });
        // Nobody asks for another message: the thread that would wait for that goes on to its end.
        link.StopReading();
        reading.End(Status.DefaultSuccess);
    }

    private static void End(LinkConnection link, Status status)
    {
        link.Send(LinkFrameKind.Status, status, static (status, buffer) =>
        {
            buffer.GetSpan(1)[0] = (byte)status.StatusCode;
            buffer.Advance(1);
            string detail = status.Detail ?? "";
            Encoding.UTF8.GetBytes(detail.AsSpan(0, Math.Min(detail.Length, 512)), buffer);
        });
        link.EndSending();
    }
}
