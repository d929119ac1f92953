using System.Runtime.InteropServices;

namespace KwaaiNet.ModelStore.Local;

/// <summary>A second name for a file on the same disk: .NET 10 makes symbolic links only, which break when the first name goes.</summary>
internal static partial class HardLink
{
    /// <summary>Makes the link.</summary>
    /// <exception cref="IOException">The system refuses, as it does across disks.</exception>
    public static void Create(string existing, string link)
    {
        bool done = OperatingSystem.IsWindows() ? CreateHardLink(link, existing, 0) : Link(existing, link) == 0;
        if (!done) throw new IOException($"no link {link} to {existing} can be made: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    // int link(const char *oldpath, const char *newpath): POSIX.
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string link);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string link, string existing, nint attributes);
}
