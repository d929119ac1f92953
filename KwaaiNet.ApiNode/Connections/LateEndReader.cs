using System.Buffers;
using System.IO.Pipelines;

namespace KwaaiNet.ApiNode.Connections;

/// <summary>Tells of the end of a pipe when everything before it has been looked at, and not with the last bytes.</summary>
/// <remarks>
/// Kestrel takes a request's body for incomplete when the end comes with it, whatever its length, and aborts the request when it hears of
/// the end by <c>OnWriterCompleted</c>, which therefore nobody hears of here.
/// </remarks>
/// <param name="reader">The pipe's own reader.</param>
internal sealed class LateEndReader(PipeReader reader) : PipeReader
{
    private ReadOnlySequence<byte> _given;
    private ReadResult? _end;
    private long _looked;

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _looked = _given.Slice(consumed, examined).Length;
        _given = default;
        _end = null;
        reader.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => reader.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => reader.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => reader.CompleteAsync(exception);

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        // After a body that ends too early Kestrel reads on without having given back what it read.
        _end ?? Give(await reader.ReadAsync(cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        bool read = reader.TryRead(out result);
        result = read ? Give(result) : result;
        return read;
    }

    private ReadResult Give(ReadResult result)
    {
        _given = result.Buffer;
        if (result.IsCompleted && result.Buffer.Length > _looked)
        {
            return new ReadResult(result.Buffer, result.IsCanceled, isCompleted: false);
        }

        _end = result.IsCompleted ? result : null;
        return result;
    }
}
