using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Files;

/// <summary>Tells the operating system which pages of a mapped file this process has done with.</summary>
internal static unsafe partial class MappedPages
{
    // <sys/mman.h>, the same number on Linux, macOS and the BSDs.
    private const int DontNeed = 4;

    /// <summary>Takes the pages that lie wholly inside a range out of this process's memory. They stay readable: touching one brings it in again.</summary>
    /// <param name="start">First byte, in the mapping of a file: memory of other kinds would lose what it holds.</param>
    /// <param name="length">Bytes.</param>
    /// <remarks>A hint: where the system does not take it, memory stays in use and nothing else changes.</remarks>
    internal static void GiveBack(byte* start, long length)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint first = ((nuint)start + page - 1) & ~(page - 1);
        nuint end = ((nuint)start + (nuint)length) & ~(page - 1);
        if (end <= first) return;

        // Unlocking pages that were never locked is how Windows is told to take them out of the working set; it reports failure all the same.
        if (OperatingSystem.IsWindows()) VirtualUnlock((void*)first, end - first);
        else Advise((void*)first, end - first, DontNeed);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("kernel32")]
    private static partial int VirtualUnlock(void* address, nuint length);
}
