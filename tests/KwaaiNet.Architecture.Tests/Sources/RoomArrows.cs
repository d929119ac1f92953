namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>What a file takes from other rooms, by a using, an alias, or a name in its code: whatever project it came with.</summary>
internal static class RoomArrows
{
    public static IEnumerable<(string Room, string What)> Of(SourceMap map, SourceFile file)
    {
        string own = SourceMap.RoomOf(file);
        return map.Needs(file).Select(need => (Room: SourceMap.RoomOf(need.Namespace), What: $"{need.What} of {need.Namespace}"))
            .Concat(file.Usings.Concat(file.GlobalUsings).Concat(file.UsedTypes).Where(map.IsOurs).Select(used => (Room: SourceMap.RoomOf(used), What: used)))
            .Where(arrow => arrow.Room != own)
            .Distinct();
    }
}
