using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>One Steps call to another node and the results that wait to be written to it.</summary>
/// <param name="isInLine">Whether whoever sends writes too: where writes never wait for long.</param>
/// <param name="written">Told the bytes of every result that has left.</param>
/// <param name="answered">Told what the node says of steps: that it did not run one, or that one has left its line.</param>
internal sealed class HopLane(bool isInLine, Action<int> written, Action<StepRefused> answered)
{
    private readonly Channel<StepResult> _waiting = Channel.CreateUnbounded<StepResult>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = isInLine });

    /// <summary>Puts a result in line, which is held by the caller until it is written; false: the lane has ended.</summary>
    public bool TrySend(StepResult result) => _waiting.Writer.TryWrite(result);

    /// <summary>Takes nothing more.</summary>
    public void End() => _waiting.Writer.TryComplete();

    /// <summary>Connects, and writes and reads until either direction ends.</summary>
    /// <exception cref="RpcException">The call broke.</exception>
    public async Task RunAsync(Shard.ShardClient client, CancellationToken cancellationToken)
    {
        using AsyncDuplexStreamingCall<StepFrame, StepRefused> call = client.Steps(cancellationToken: cancellationToken);
        Task writing = WriteAsync(call.RequestStream, cancellationToken);
        Task reading = call.ResponseStream.ForEachAsync(
            answer =>
            {
                answered(answer);
                return default;
            },
            cancellationToken);
        try
        {
            // Whichever ends first ends the call; its disposal then ends the other.
            await (await Task.WhenAny(reading, writing).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            End();
            call.Dispose();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (_waiting.Reader.TryRead(out StepResult? unsent)) unsent.Release();
        }
    }

    private async Task WriteAsync(IClientStreamWriter<StepFrame> stream, CancellationToken cancellationToken)
    {
        WriteOptions flush = new();
        WriteOptions more = new(WriteFlags.BufferHint);
        // A wait that could be cancelled would be an object each; completing the line ends it as well.
        await using CancellationTokenRegistration ended = cancellationToken.UnsafeRegister(static lane => ((HopLane)lane!).End(), this);
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_waiting.Reader.TryRead(out StepResult? result))
            {
                int bytes = result.PayloadBytes;
                try
                {
                    // Frames of one batch leave as one write to the socket.
                    stream.WriteOptions = _waiting.Reader.TryPeek(out _) ? more : flush;
                    await stream.WriteAsync(result.Frame!, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    // The message is serialised once the write is done; nothing reads the buffer after it.
                    result.Release();
                }

                written(bytes);
            }
        }
    }
}
