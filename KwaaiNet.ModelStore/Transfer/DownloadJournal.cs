using System.Text.Json;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>What a <c>.part</c> file is part of: kept beside it, so that a later run goes on only with bytes of the same file.</summary>
/// <param name="Source">Where the bytes come from.</param>
/// <param name="Sha256">SHA-256 of the whole file by its publisher; null: not said.</param>
/// <param name="Size">The whole file's size; null: not said.</param>
/// <param name="ETag">The version by the server that sent them; null: none.</param>
internal sealed record DownloadJournal(string Source, string? Sha256, long? Size, string? ETag)
{
    /// <summary>Which blocks, where the file is to hold only some; null: all.</summary>
    public string? Blocks { get; init; }

    /// <summary>SHA-256 of each tensor that is complete, where the file is to hold only some.</summary>
    public Dictionary<string, string> Digests { get; init; } = [];

    /// <summary>The journal's place.</summary>
    public static string PathFor(string part) => part + ".json";

    /// <summary>Reads a journal; null when there is none that can be read.</summary>
    public static DownloadJournal? Read(string part)
    {
        try
        {
            return JsonSerializer.Deserialize<DownloadJournal>(File.ReadAllBytes(PathFor(part)), JsonSerializerOptions.Web);
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes the journal, at once or not at all.</summary>
    public void Write(string part)
    {
        string path = PathFor(part);
        string fresh = path + ".new";
        try
        {
            File.WriteAllBytes(fresh, JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web));
            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            File.Delete(fresh);
        }
    }

    /// <summary>Why bytes kept by this journal cannot be gone on with; null when they can.</summary>
    public string? DiffersFrom(DownloadJournal wanted)
    {
        if (Sha256 != wanted.Sha256) return "its publisher has another file by now";
        if (Size is not null && wanted.Size is not null && Size != wanted.Size) return "its size has changed";
        if (Blocks != wanted.Blocks) return "other blocks are asked for";

        // Without a digest, only a version ties bytes of one day to those of another.
        if (Sha256 is null && (Source != wanted.Source || ETag is null)) return "nothing says that it is still the same file";
        return null;
    }

    /// <summary>Removes a part and its journal.</summary>
    public static void Delete(string part)
    {
        File.Delete(part);
        File.Delete(PathFor(part));
    }
}
