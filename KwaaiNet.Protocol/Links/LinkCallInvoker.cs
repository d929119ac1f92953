using System.Text;
using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>Duplex calls over links, all others over gRPC.</summary>
internal sealed class LinkCallInvoker(NodeLinks links, CallInvoker grpc, string endpoint, string? nodeId) : CallInvoker
{
    /// <inheritdoc/>
    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        LinkCall<TRequest, TResponse> call = new(options.CancellationToken, OpenAsync);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(call, call, call.Headers, call.GetStatus, static () => [], call.Dispose);

        async Task<LinkCallStreams<TRequest, TResponse>> OpenAsync(Action<Status> ended, CancellationToken cancellationToken)
        {
            LinkConnection? link = await links.TryConnectAsync(endpoint, nodeId, cancellationToken).ConfigureAwait(false);
            if (link is null)
            {
                AsyncDuplexStreamingCall<TRequest, TResponse> plain = grpc.AsyncDuplexStreamingCall(method, host, options);
                return new LinkCallStreams<TRequest, TResponse>(plain.RequestStream, plain.ResponseStream, _ => plain.Dispose());
            }

            link.Send(LinkFrameKind.Call, method.FullName, static (name, buffer) => Encoding.UTF8.GetBytes(name.AsSpan(), buffer));
            LinkReader<TResponse> reader = new(link, method.ResponseMarshaller, ended);
            reader.Start("kwaainet-link-in");
            return new LinkCallStreams<TRequest, TResponse>(
                new LinkWriter<TRequest>(link, method.RequestMarshaller),
                reader,
                status =>
                {
                    // First: the reading thread, which the closed connection wakes, would call the end by another name.
                    reader.End(status);
                    link.Dispose();
                });
        }
    }

    /// <inheritdoc/>
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        grpc.BlockingUnaryCall(method, host, options, request);

    /// <inheritdoc/>
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        grpc.AsyncUnaryCall(method, host, options, request);

    /// <inheritdoc/>
    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        grpc.AsyncServerStreamingCall(method, host, options, request);

    /// <inheritdoc/>
    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        grpc.AsyncClientStreamingCall(method, host, options);
}
