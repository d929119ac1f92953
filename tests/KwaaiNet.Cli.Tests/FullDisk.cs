namespace KwaaiNet.Cli.Tests;

/// <summary>A file on a disk of which a test says how much room it has.</summary>
internal sealed class FullDisk : MemoryStream
{
    public const string Reason = "No space left on device";

    /// <summary>Bytes that may still be written; null: any number.</summary>
    public int? Room { get; set; }

    public string Text => System.Text.Encoding.UTF8.GetString(ToArray());

    public override void Write(byte[] buffer, int offset, int count)
    {
        int taken = Math.Min(Room ?? int.MaxValue, count);
        base.Write(buffer, offset, taken);
        Room -= taken;
        if (taken < count)
        {
            throw new IOException(Reason);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);
}
