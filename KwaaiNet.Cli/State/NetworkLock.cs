namespace KwaaiNet.Cli.State;

/// <summary>Held by the <c>kwaainet up</c> that owns a home: two started in the same moment cannot both have it.</summary>
internal sealed class NetworkLock : IDisposable
{
    private readonly FileStream _file;

    private NetworkLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; null when another process has it. The system gives it back when its owner ends, however it ends.</summary>
    public static NetworkLock? TryTake(KwaaiNetHome home)
    {
        Directory.CreateDirectory(home.RunFolder);
        try
        {
            return new NetworkLock(new FileStream(
                Path.Combine(home.RunFolder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
