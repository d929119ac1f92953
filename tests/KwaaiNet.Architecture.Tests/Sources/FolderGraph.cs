namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>The folders of one room and what each needs of the others. A folder is its own files: one inside it is another.</summary>
internal sealed class FolderGraph
{
    private readonly SortedDictionary<string, SortedDictionary<string, SortedSet<string>>> _arrows = new(StringComparer.Ordinal);

    public FolderGraph(SourceMap map, string room)
    {
        foreach (SourceFile file in map.Files.Where(file => SourceMap.RoomOf(file) == room))
        {
            foreach ((string space, string what) in map.Needs(file).Where(need => SourceMap.RoomOf(need.Namespace) == room && need.Namespace != file.Folder))
            {
                if (!_arrows.TryGetValue(file.Folder, out SortedDictionary<string, SortedSet<string>>? arrows)) _arrows[file.Folder] = arrows = new(StringComparer.Ordinal);
                if (!arrows.TryGetValue(space, out SortedSet<string>? reasons)) arrows[space] = reasons = new(StringComparer.Ordinal);
                reasons.Add($"{what} in {file.Name}");
            }
        }
    }

    /// <summary>One text a circle: its folders, and each arrow with the types and the files that make it.</summary>
    public IEnumerable<string> Circles()
    {
        const int ReasonsShown = 6;

        Dictionary<string, HashSet<string>> reached = _arrows.Keys.ToDictionary(folder => folder, Reach);
        HashSet<string> told = [];
        foreach (string folder in _arrows.Keys.Where(folder => reached[folder].Contains(folder)))
        {
            if (told.Contains(folder)) continue;
            string[] circle = [.. _arrows.Keys.Where(other => reached[folder].Contains(other) && reached[other].Contains(folder))];
            told.UnionWith(circle);
            IEnumerable<string> arrows = circle.SelectMany(from => _arrows[from].Where(to => circle.Contains(to.Key)).Select(to =>
                $"    {from} -> {to.Key}: {string.Join(", ", to.Value.Take(ReasonsShown))}{(to.Value.Count > ReasonsShown ? $" and {to.Value.Count - ReasonsShown} more" : "")}"));
            yield return $"{string.Join(", ", circle)} need one another:{Environment.NewLine}{string.Join(Environment.NewLine, arrows)}";
        }
    }

    private HashSet<string> Reach(string folder)
    {
        HashSet<string> reached = [];
        Stack<string> open = new([folder]);
        while (open.TryPop(out string? from))
        {
            if (!_arrows.TryGetValue(from, out SortedDictionary<string, SortedSet<string>>? arrows)) continue;
            foreach (string to in arrows.Keys.Where(reached.Add)) open.Push(to);
        }

        return reached;
    }
}
