namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Whether a file fits on a disk, asked before its first byte comes.</summary>
internal static class DiskSpace
{
    // What else a system writes meanwhile.
    private const long Reserve = 64L << 20;

    /// <summary>Free bytes for this user on the disk of a folder; null: the system does not say.</summary>
    public static long? Free(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // A network folder, say: then the disk itself speaks when it is full.
            return null;
        }
    }

    /// <summary>Refuses what does not fit.</summary>
    /// <exception cref="ModelStoreException">There is less room than needed; both numbers are named.</exception>
    public static void Require(string folder, string name, long needed, Func<string, long?> free)
    {
        if (needed > 0 && free(folder) is { } available && needed + Reserve > available)
        {
            throw new ModelStoreException(
                $"{name} needs {ByteCount.Of(needed)} more on the disk of {folder}, where {ByteCount.Of(available)} are free.",
                "make room ('kwaainet models', 'kwaainet rm NAME'), or name another folder in KWAAINET_HOME.");
        }
    }
}
