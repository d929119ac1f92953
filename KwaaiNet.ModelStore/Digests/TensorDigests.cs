using System.Text.Json;

namespace KwaaiNet.ModelStore.Digests;

/// <summary>SHA-256 of each tensor of a file, from a whole copy that was checked against its publisher's digest: <c>FILE.digests.json</c>.</summary>
/// <param name="Sha256">SHA-256 of the whole file, lower-case hex.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Tensors">SHA-256 of each tensor's bytes by the tensor's name, lower-case hex.</param>
/// <remarks>Who pulls only some blocks cannot compute the whole file's digest; with such a list from somebody they trust, each tensor is checked all the same.</remarks>
public sealed record TensorDigests(string Sha256, long Size, IReadOnlyDictionary<string, string> Tensors)
{
    /// <summary>The largest list that is read.</summary>
    public const int MostBytes = 1 << 25;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Where the list of a file is kept.</summary>
    public static string PathFor(string file) => file + ".digests.json";

    /// <summary>Reads a list.</summary>
    /// <exception cref="ModelStoreException">It is none.</exception>
    public static TensorDigests Read(ReadOnlySpan<byte> json, string name)
    {
        try
        {
            if (JsonSerializer.Deserialize<TensorDigests>(json, s_json) is { Sha256.Length: 64, Tensors: not null } digests) return digests;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new ModelStoreException($"{name} is no list of tensor digests.", "take the .digests.json that 'kwaainet pull' writes beside a whole file.");
    }

    /// <summary>Writes the list beside its file.</summary>
    public void Write(string file) => File.WriteAllBytes(PathFor(file), JsonSerializer.SerializeToUtf8Bytes(this, s_json));
}
