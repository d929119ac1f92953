using System.Buffers;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Keeps received bytes in memory.</summary>
internal sealed class MemoryTarget(string name, int most) : ITransferTarget
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > most - _bytes.WrittenCount)
            throw new ModelStoreException($"{name} is longer than {ByteCount.Of(most)}.", "check the name: this is not what it should be.");
        _bytes.Write(bytes.Span);
        return ValueTask.CompletedTask;
    }

    public bool TryRestart(string why)
    {
        _bytes.ResetWrittenCount();
        return true;
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
