using System.Diagnostics.CodeAnalysis;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>The file a node's key is kept in.</summary>
// offset  bytes
//      0      8  "KWAAIKEY"
//      8      1  version, 1
//      9     32  Ed25519 seed (RFC 8032 private key)
//     41     32  public key of that seed: a damaged file is noticed instead of becoming somebody else
// 73 bytes in all. Mode 0600 on Unix; on Windows the folder's access list counts (a user profile is its owner's).
internal static class NodeKeyFile
{
    private const int SeedBytes = 32;
    private const int Header = 9;
    private const int Length = Header + SeedBytes + NodeId.PublicKeyBytes;

    private static ReadOnlySpan<byte> Magic => "KWAAIKEY\u0001"u8;

    /// <summary>Reads the seed; false when there is no file.</summary>
    public static bool TryRead(string path, [NotNullWhen(true)] out byte[]? seed)
    {
        seed = null;
        byte[] file = new byte[Length + 1];
        int read;
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            read = stream.ReadAtLeast(file, file.Length, throwOnEndOfStream: false);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new NodeIdentityException($"The key file '{path}' cannot be read: {error.Message} Let this user read it, or set Node:Home to another folder.", error);
        }

        if (read != Length || !file.AsSpan(0, Header).SequenceEqual(Magic)
            || !NodeIdentity.PublicKeyOfSeed(file.AsSpan(Header, SeedBytes)).AsSpan().SequenceEqual(file.AsSpan(Header + SeedBytes, NodeId.PublicKeyBytes)))
        {
            throw new NodeIdentityException($"The key file '{path}' is damaged. Restore it from a copy, or delete it: the node then starts with a new identity.");
        }

        seed = file.AsSpan(Header, SeedBytes).ToArray();
        return true;
    }

    /// <summary>Writes a new file as a whole; false when one is there already.</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> seed, ReadOnlySpan<byte> publicKey)
    {
        byte[] file = [.. Magic, .. seed, .. publicKey];
        string draft = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (FileStream stream = new(draft, options))
            {
                stream.Write(file);
                stream.Flush(flushToDisk: true);
            }

            try
            {
                // The name appears with the whole content or not at all, and never over somebody else's key.
                File.Move(draft, path, overwrite: false);
                return true;
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
                return false;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new NodeIdentityException($"The key file '{path}' cannot be written: {error.Message} Make the folder writable, or set Node:Home to another one.", error);
        }
    }
}
