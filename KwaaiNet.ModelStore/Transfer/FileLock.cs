using System.Security.Cryptography;
using System.Text;
using KwaaiNet.ModelStore.Progress;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>One pull at a time for a file, over all processes of a machine.</summary>
/// <remarks>The lock files are empty and stay: removing one while another process opens it would let two in.</remarks>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);
    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Waits until no other pull works on the file.</summary>
    public static async Task<FileLock> TakeAsync(string folder, string path, IProgress<PullEvent> progress, TimeProvider time, CancellationToken cancellationToken)
    {
        string locks = Path.Combine(folder, ".locks");
        Directory.CreateDirectory(locks);
        string file = Path.Combine(locks, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(path))))[..16]);
        for (bool said = false; ; said = true)
        {
            try
            {
                return new FileLock(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException exception) when (IsHeldByAnother(exception))
            {
                if (!said) progress.Report(PullEvent.Note($"Another pull of {Path.GetFileName(path)} is under way: waiting for it."));
                await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // What flock(2) says on Linux and macOS (EWOULDBLOCK), and Windows of a file that is open elsewhere; a full or read-only disk says something else.
    private static bool IsHeldByAnother(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020) or unchecked((int)0x80070021);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
