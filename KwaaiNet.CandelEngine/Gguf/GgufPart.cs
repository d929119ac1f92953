using System.Globalization;
using System.Security.Cryptography;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>What a file says that holds only some blocks of another: which, of what, and each tensor's SHA-256 as it was downloaded.</summary>
/// <remarks>
/// Such a file is a valid GGUF: all metadata of its source, the tensors of some blocks, and the keys below. Its
/// <see cref="ModelFile.WeightsHash"/> is its source's, so that a chain ties parts of one file together.
/// </remarks>
public sealed class GgufPart
{
    /// <summary>Key: SHA-256 of the whole source file, lower-case hex.</summary>
    public const string SourceSha256Key = "kwaainet.source.sha256";

    /// <summary>Key: bytes of the whole source file.</summary>
    public const string SourceSizeKey = "kwaainet.source.size";

    /// <summary>Key: what <c>kwaainet pull</c> calls the source.</summary>
    public const string SourceNameKey = "kwaainet.source.name";

    /// <summary>Key: the first block held.</summary>
    public const string FirstBlockKey = "kwaainet.blocks.first";

    /// <summary>Key: one past the last block held; equal to the first where the file is a header only.</summary>
    public const string EndBlockKey = "kwaainet.blocks.end";

    /// <summary>Key: how most weights of the source are stored.</summary>
    public const string WeightFormatKey = "kwaainet.source.weights";

    /// <summary>Key: SHA-256 of each tensor, lower-case hex, in the order of the tensors.</summary>
    public const string TensorDigestsKey = "kwaainet.tensors.sha256";

    private readonly GgufFile _file;
    private readonly string[] _digests;

    private GgufPart(GgufFile file, string sha256, string[] digests)
    {
        _file = file;
        _digests = digests;
        SourceSha256 = sha256;
        SourceSize = file.Metadata.TryGetValue(SourceSizeKey, out GgufValue size) ? size.AsInteger() ?? 0 : 0;
        SourceName = file.Metadata.GetString(SourceNameKey) ?? "NAME";
        FirstBlock = file.Metadata.GetInt32(FirstBlockKey) ?? 0;
        EndBlock = file.Metadata.GetInt32(EndBlockKey) ?? 0;
        WeightFormat = file.Metadata.GetString(WeightFormatKey) ?? "none";
    }

    /// <summary>SHA-256 of the whole source file, lower-case hex, as its publisher names it.</summary>
    public string SourceSha256 { get; }

    /// <summary>Bytes of the whole source file.</summary>
    public long SourceSize { get; }

    /// <summary>What <c>kwaainet pull</c> calls the source.</summary>
    public string SourceName { get; }

    /// <summary>The first block held.</summary>
    public int FirstBlock { get; }

    /// <summary>One past the last block held; equal to <see cref="FirstBlock"/> where the file is a header only.</summary>
    public int EndBlock { get; }

    /// <summary>How most weights of the source are stored.</summary>
    public string WeightFormat { get; }

    /// <summary>The blocks for people: <c>blocks 0-7</c>, or <c>no blocks</c>.</summary>
    public string Blocks => EndBlock > FirstBlock ? string.Create(CultureInfo.InvariantCulture, $"blocks {FirstBlock}-{EndBlock - 1}") : "no blocks";

    /// <summary>Reads what a file says about its source; null when it is a whole file.</summary>
    /// <exception cref="ModelFormatException">The file says it is a part, and what it says cannot be.</exception>
    public static GgufPart? Read(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Metadata.GetString(SourceSha256Key) is not { } sha256)
            return null;
        string[] digests = file.Metadata.GetArray(TensorDigestsKey) is { } array && array.Count == file.TensorNames.Count ? array.ToStrings() : [];
        if (!IsSha256(sha256) || digests.Length != file.TensorNames.Count || !digests.All(IsSha256))
            throw file.Metadata.Problem($"the file says it is part of a model, and its '{SourceSha256Key}' or '{TensorDigestsKey}' cannot be. Pull it again.");
        return new GgufPart(file, sha256, digests);
    }

    /// <summary>Reads every tensor and compares it with its SHA-256 from the time of its download.</summary>
    /// <exception cref="ModelFormatException">A tensor has changed; the message names it.</exception>
    public void Verify()
    {
        for (int i = 0; i < _digests.Length; i++)
        {
            string name = _file.TensorNames[i];
            if (_file.TryGetTensor(name, out TensorData tensor) && Digest(tensor) is var actual && actual != _digests[i])
            {
                throw _file.Metadata.Problem(
                    $"tensor '{name}' has changed since it was downloaded: its SHA-256 was {_digests[i]} and is {actual}. Delete the file and pull it again.");
            }
        }
    }

    /// <summary>SHA-256 over a tensor's bytes, lower-case hex.</summary>
    public static unsafe string Digest(TensorData tensor)
    {
        const int Chunk = 1 << 24;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < tensor.ByteLength; at += Chunk)
            hash.AppendData(new ReadOnlySpan<byte>((byte*)tensor.Address + at, (int)Math.Min(Chunk, tensor.ByteLength - at)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Says that blocks are not in this file, and which command brings them.</summary>
    /// <exception cref="ModelFormatException">Not all of blocks <c>[first, end)</c> are held.</exception>
    public void Require(int first, int end)
    {
        if (first >= FirstBlock && end <= EndBlock)
            return;
        throw _file.Metadata.Problem(string.Create(
            CultureInfo.InvariantCulture,
            $"the file holds {Blocks} of its model, and blocks {first}-{end - 1} are asked for. Fetch them: kwaainet pull {SourceName} --blocks {first}-{end - 1}"));
    }

    private static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}
