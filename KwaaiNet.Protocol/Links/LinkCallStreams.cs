using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>Both directions of a call that stands.</summary>
/// <param name="Requests">To the server.</param>
/// <param name="Responses">From the server.</param>
/// <param name="End">Ends both; the reader hears the status.</param>
internal sealed record LinkCallStreams<TRequest, TResponse>(IClientStreamWriter<TRequest> Requests, IAsyncStreamReader<TResponse> Responses, Action<Status> End);
