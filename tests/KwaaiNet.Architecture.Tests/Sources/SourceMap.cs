namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>All sources of a product: which name means which type, by C#'s own rules of sight.</summary>
/// <remarks>Reads names, not meanings: a member that is called like a type it does not have may count as one. What a compiler would need a using for is never missed.</remarks>
internal sealed class SourceMap
{
    private readonly IReadOnlyList<SourceFile> _files;
    private readonly Dictionary<string, HashSet<string>> _types = [];
    private readonly HashSet<string> _generated;
    private readonly HashSet<string> _namespaces = [];
    private readonly ILookup<string, string> _globalUsings;

    /// <param name="files">The sources.</param>
    /// <param name="generatedNamespaces">Namespaces of types that no source declares.</param>
    public SourceMap(IEnumerable<SourceFile> files, params IEnumerable<string> generatedNamespaces)
    {
        _files = [.. files];
        foreach (SourceFile file in _files)
        {
            if (!_types.TryGetValue(file.Namespace, out HashSet<string>? types)) _types[file.Namespace] = types = [];
            types.UnionWith(file.Types);
        }

        _generated = [.. generatedNamespaces];
        foreach (string name in _types.Keys.Concat(_generated))
        {
            for (string part = name; part.Length > 0; part = Parent(part)) _namespaces.Add(part);
        }

        _globalUsings = _files.SelectMany(file => file.GlobalUsings.Select(name => (Room: RoomOf(file), name))).ToLookup(pair => pair.Room, pair => pair.name);
    }

    public IReadOnlyList<SourceFile> Files => _files;

    /// <summary>The first two parts of a folder or namespace: <c>KwaaiNet.Protocol</c>.</summary>
    public static string RoomOf(string name) => string.Join('.', name.Split('.').Take(2));

    /// <summary>What a file needs of other namespaces: the namespace, and the type, or how else it came to be needed.</summary>
    public IEnumerable<(string Namespace, string What)> Needs(SourceFile file)
    {
        HashSet<(string Namespace, string What)> needs = [];
        foreach (string mention in file.Mentions.Concat(file.UsedTypes))
        {
            foreach ((string found, string type) in Resolve(file, mention)) needs.Add((found, type));
        }

        foreach (string used in file.Usings.Where(_namespaces.Contains))
        {
            bool forType = needs.Any(need => need.Namespace == used);
            bool forComment = _types.TryGetValue(used, out HashSet<string>? types) && types.Overlaps(file.Comments);
            // The compiler refuses a using that nothing needs: what is left are extension methods, and generated types.
            if (!forType && !forComment) needs.Add((used, "an extension method"));
        }

        needs.RemoveWhere(need => need.Namespace == file.Namespace);
        return needs;
    }

    /// <summary>Whether a namespace, or the one a type is in, is the product's own.</summary>
    public bool IsOurs(string name) => _namespaces.Contains(name) || _namespaces.Contains(Parent(name));

    /// <summary>The room of the product that a file is in.</summary>
    public static string RoomOf(SourceFile file) => RoomOf(file.Folder);

    private IEnumerable<(string Namespace, string Type)> Resolve(SourceFile file, string mention)
    {
        string[] parts = mention.Split('.');
        for (string space = file.Namespace; ; space = Parent(space))
        {
            if (Find(space, parts[0]) is { } type) return [(space, type)];
            string inner = Join(space, parts[0]);
            if (_namespaces.Contains(inner)) return Walk(inner, parts);
            if (space.Length == 0) break;
        }

        if (file.Aliases.TryGetValue(parts[0], out string? meant))
        {
            string[] whole = [.. meant.Split('.'), .. parts.Skip(1)];
            return Walk(whole[0], whole);
        }

        return [.. file.Usings.Concat(_globalUsings[RoomOf(file)])
            .Select(used => (Namespace: used, Type: Find(used, parts[0])))
            .Where(found => found.Type is not null)
            .Select(found => (found.Namespace, found.Type!))];
    }

    private IEnumerable<(string Namespace, string Type)> Walk(string space, string[] parts)
    {
        int at = 1;
        while (at < parts.Length && _namespaces.Contains(Join(space, parts[at]))) space = Join(space, parts[at++]);
        if (at == parts.Length) return [];
        return Find(space, parts[at]) is { } type ? [(space, type)] : _generated.Contains(space) ? [(space, parts[at])] : [];
    }

    private string? Find(string space, string name) =>
        !_types.TryGetValue(space, out HashSet<string>? types) ? null : types.Contains(name) ? name : types.Contains(name + "Attribute") ? name + "Attribute" : null;

    private static string Parent(string space) => space.LastIndexOf('.') is > 0 and int dot ? space[..dot] : "";

    private static string Join(string space, string name) => space.Length == 0 ? name : space + "." + name;
}
