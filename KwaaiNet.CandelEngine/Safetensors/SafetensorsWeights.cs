using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Safetensors.Configuration;

namespace KwaaiNet.CandelEngine.Safetensors;

// model.safetensors.index.json, beside the files it names:
//
//   { "metadata": { "total_size": 16060522496 }, "weight_map": { "model.norm.weight": "model-00004-of-00004.safetensors", … } }

/// <summary>A model's tensors in one safetensors file, or in the several that an index names.</summary>
internal sealed class SafetensorsWeights : IDisposable
{
    /// <summary>What the names of indexes end in.</summary>
    public const string IndexExtension = ".safetensors.index.json";

    private const int MaximumFiles = 4096;

    private readonly List<SafetensorsFile> _files = [];

    private SafetensorsWeights()
    {
    }

    /// <summary>All tensors, in the order of the files and in each of its header; a name once.</summary>
    public IEnumerable<SafetensorsTensor> Tensors
    {
        get
        {
            foreach (SafetensorsFile file in _files)
            {
                foreach (string name in file.TensorNames)
                {
                    if (file.TryGetTensor(name, out SafetensorsTensor tensor))
                        yield return tensor;
                }
            }
        }
    }

    /// <summary>Bytes of all files.</summary>
    public long Length => _files.Sum(file => file.Length);

    /// <summary>Files that are open.</summary>
    public int FileCount => _files.Count;

    /// <summary>SHA-256 of the file if there is one; of several, SHA-256 over "name, zero byte, SHA-256 in hex, line feed" of each in the order of their names.</summary>
    public string Sha256
    {
        get
        {
            if (_files.Count == 1)
                return _files[0].Sha256;
            StringBuilder lines = new();
            foreach (SafetensorsFile file in _files.OrderBy(file => Path.GetFileName(file.Path), StringComparer.Ordinal))
                lines.Append(Path.GetFileName(file.Path)).Append('\0').Append(file.Sha256).Append('\n');
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())));
        }
    }

    /// <inheritdoc cref="SafetensorsFile.GiveBackPages"/>
    public void GiveBackPages(nint address, long length)
    {
        foreach (SafetensorsFile file in _files)
            file.GiveBackPages(address, length);
    }

    /// <summary>Opens a <c>.safetensors</c> file, or the files that an index names.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or one that the index names is missing.</exception>
    /// <exception cref="ModelFormatException">A file is not safetensors or lies, or the index does not go with the files.</exception>
    public static SafetensorsWeights Open(string path)
    {
        SafetensorsWeights weights = new();
        try
        {
            if (path.EndsWith(IndexExtension, StringComparison.OrdinalIgnoreCase))
                weights.OpenIndex(path);
            else
                weights._files.Add(SafetensorsFile.Open(path));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The weights of a folder: its index, else its only <c>.safetensors</c> file.</summary>
    /// <exception cref="ModelFormatException">There is none, or there are several and no index.</exception>
    public static string FindIn(string folder)
    {
        if (Directory.EnumerateFiles(folder, "model" + IndexExtension).FirstOrDefault() is { } index)
            return index;
        string[] files = [.. Directory.EnumerateFiles(folder, "*" + SafetensorsFile.Extension).Order(StringComparer.Ordinal)];
        return files.Length == 1 ? files[0]
            : Array.Find(files, file => Path.GetFileName(file) == "model" + SafetensorsFile.Extension)
            ?? throw new ModelFormatException(files.Length == 0
                ? $"{folder}: the folder has no {SafetensorsFile.Extension} file. Download the model's weights into it."
                : $"{folder}: the folder has {files.Length} {SafetensorsFile.Extension} files and no model{IndexExtension} that says what is where. Download the index too.");
    }

    /// <summary>Closes all files: tensor addresses are gone.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void OpenIndex(string path)
    {
        ConfigJson index = ConfigJson.OpenIfThere(path) ?? throw new FileNotFoundException($"There is no model file {path}.", path);
        if (!index.TryGet("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            index.ThrowMissing("weight_map");
        Dictionary<string, SafetensorsFile> opened = new(StringComparer.Ordinal);
        HashSet<string> tensors = new(StringComparer.Ordinal);
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            string name = ConfigJson.TextOf(entry.Value) ?? throw index.Problem($"'weight_map' has no file name for '{entry.Name}'");
            // A name, never a path: an index must not reach other folders.
            if (name.Length == 0 || name.AsSpan().ContainsAny("/\\:\0") || name is "." or "..")
                throw index.Problem($"'weight_map' names the file '{name}', which is no plain file name");
            if (!tensors.Add(entry.Name))
                throw index.Problem($"'weight_map' has '{entry.Name}' twice");
            if (!opened.TryGetValue(name, out SafetensorsFile? file))
            {
                if (opened.Count == MaximumFiles)
                    throw index.Problem($"'weight_map' names more than {MaximumFiles} files");
                file = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name));
                opened.Add(name, file);
                _files.Add(file);
            }

            if (!file.TryGetTensor(entry.Name, out _))
                throw index.Problem($"'{entry.Name}' should be in {name}, and is not. The files are of different models or damaged: download them again");
        }

        if (_files.Count == 0)
            throw index.Problem("'weight_map' names no file");
    }
}
