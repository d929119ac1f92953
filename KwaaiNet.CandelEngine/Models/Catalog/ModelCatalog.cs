using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Models.Catalog;

/// <summary>The models in some folders, by the names people know them by.</summary>
/// <remarks>
/// A file <c>llama3.1-8b.gguf</c> or <c>llama3.1/8b.gguf</c> is <c>llama3.1:8b</c>; capitals and the signs between words do not matter.
/// A name that fits part of one file's name alone finds it too, so that <c>llama3.1:8b</c> finds <c>Meta-Llama-3.1-8B-Instruct-Q4_0.gguf</c>.
/// A split model is listed once, without the numbers of its parts, and opened by its first.
/// A folder with <c>config.json</c> and <c>.safetensors</c> files is a model under the folder's name.
/// Reads the folders at every call; safe for concurrent use.
/// </remarks>
/// <param name="directories">Folders to search, first to last; of two models of one name the first counts. Those that do not exist are passed over.</param>
public sealed class ModelCatalog(params IReadOnlyList<string> directories)
{
    private const string Extension = ".gguf";

    // A folder, a family, a tag; deeper lie other programs' caches.
    private static readonly EnumerationOptions s_search = new() { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true, MatchCasing = MatchCasing.CaseInsensitive };

    /// <summary>Folders searched, in order.</summary>
    public IReadOnlyList<string> Directories { get; } = [.. directories.Select(Path.GetFullPath)];

    /// <summary>All models, in the order of the folders, then by name; a name once.</summary>
    public IReadOnlyList<CatalogModel> List()
    {
        List<CatalogModel> models = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string directory in Directories.Where(Directory.Exists))
        {
            IEnumerable<CatalogModel> found = Directory.EnumerateFiles(directory, "*" + Extension, s_search)
                .Where(path => GgufPartName.Parse(path) is null or { Number: 1 })
                .Select(path => GgufModel(directory, path))
                .Concat(Directory.EnumerateDirectories(directory, "*", s_search)
                    .Where(ModelFolder.IsModel)
                    .Select(path => new CatalogModel(NameOf(directory, path), path, ModelFolder.WeightBytes(path))))
                .OrderBy(model => model.Name, StringComparer.OrdinalIgnoreCase)
                .ThenBy(model => model.Path, StringComparer.Ordinal);
            models.AddRange(found.Where(model => names.Add(Key(model.Name))));
        }

        return models;
    }

    /// <summary>Finds a model by its name. Never opens a path, so the name may come from a network.</summary>
    /// <param name="name">Such as <c>kwaai-demo</c>, <c>llama3.1:8b</c>; <c>:latest</c> is the same as no tag.</param>
    /// <exception cref="ModelNotFoundException">No model goes by the name, or it fits several.</exception>
    public CatalogModel Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string wanted = Key(WithoutLatest(name));
        IReadOnlyList<CatalogModel> models = List();
        if (wanted.Length > 0)
        {
            if (models.FirstOrDefault(model => Key(WithoutLatest(model.Name)) == wanted) is { } exact)
                return exact;
            List<CatalogModel> similar = [.. models.Where(model => $"-{Key(model.Name)}-".Contains($"-{wanted}-", StringComparison.Ordinal))];
            if (similar.Count == 1)
                return similar[0];
            if (similar.Count > 1)
                throw new ModelNotFoundException(name, $"'{name}' fits {similar.Count} models: {Names(similar)}. Say which.");
        }

        string known = models.Count == 0 ? "There are no models" : $"There are: {Names(models)}";
        throw new ModelNotFoundException(name, $"There is no model '{name}'. {known} in {(Directories.Count == 0 ? "no folders" : string.Join(", ", Directories))}. Put its .gguf file, or its folder of safetensors, there; or give the path.");
    }

    /// <summary>Finds what a user typed: a path to a file or to a folder of safetensors, or a model's name.</summary>
    /// <returns>The full path.</returns>
    /// <exception cref="ModelNotFoundException">There is no such file, and no model goes by the name.</exception>
    public string Resolve(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        bool isFile = (nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || Path.IsPathRooted(nameOrPath)) && File.Exists(nameOrPath);
        bool isSafetensors = nameOrPath.Length > 0 && ModelFolder.Names(nameOrPath) && (File.Exists(nameOrPath) || ModelFolder.IsModel(nameOrPath));
        return isFile || isSafetensors ? Path.GetFullPath(nameOrPath) : Find(nameOrPath).Path;
    }

    private static string WithoutLatest(string name)
    {
        const string Latest = ":latest";
        return name.EndsWith(Latest, StringComparison.OrdinalIgnoreCase) ? name[..^Latest.Length] : name;
    }

    private static string Names(IEnumerable<CatalogModel> models) => string.Join(", ", models.Select(model => model.Name));

    private static CatalogModel GgufModel(string directory, string path)
    {
        if (GgufPartName.Parse(path) is not { } part)
            return new CatalogModel(NameOf(directory, path[..^Extension.Length]), path, new FileInfo(path).Length);
        long bytes = Enumerable.Range(1, part.Count).Select(number => new FileInfo(part.PathOf(number))).Sum(file => file.Exists ? file.Length : 0);
        return new CatalogModel(NameOf(directory, part.Stem), path, bytes);
    }

    private static string NameOf(string directory, string path)
    {
        string relative = Path.GetRelativePath(directory, path);
        return relative.Replace(Path.DirectorySeparatorChar, ':').Replace(Path.AltDirectorySeparatorChar, ':');
    }

    /// <summary>Runs of letters and runs of digits, lower case, with one sign between: <c>llama3.1:8b</c> and <c>Llama-3.1-8B</c> are <c>llama-3-1-8-b</c>.</summary>
    private static string Key(string name)
    {
        System.Text.StringBuilder key = new();
        char before = '-';
        foreach (char c in name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? name[..^Extension.Length] : name)
        {
            char now = char.IsLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-';
            if (before != '-' && now != '-' && char.IsDigit(before) != char.IsDigit(now))
                key.Append('-');
            if (now != '-' || before != '-')
                key.Append(now);
            before = now;
        }

        return key.ToString().Trim('-');
    }
}
