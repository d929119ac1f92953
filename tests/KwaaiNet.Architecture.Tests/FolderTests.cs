using System.Text.RegularExpressions;
using KwaaiNet.Architecture.Tests.Sources;

namespace KwaaiNet.Architecture.Tests;

/// <summary>How the folders of the rooms stand to one another, read from the sources themselves.</summary>
public sealed partial class FolderTests
{
    private static readonly Lazy<SourceMap> s_map = new(() => new SourceMap(
        RoomTable.MayKnow.Keys.SelectMany(room => Repository.Files("*.cs").Where(path => path.StartsWith(room + "/", StringComparison.Ordinal)))
            .Select(path => new SourceFile(path, string.Join('\n', Repository.Lines(path)))),
        Repository.Files("*.proto").SelectMany(Repository.Lines).Select(line => GeneratedNamespace().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value)));

    public static TheoryData<string> Rooms => [.. RoomTable.MayKnow.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_namespace_is_the_folder(string room) => Offenders.None(In(room)
        .Where(file => file.Types.Count > 0 && file.Namespace != file.Folder)
        .Select(file => $"{file.Path} has the namespace '{file.Namespace}'."));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Folders_need_one_another_in_one_direction(string room) => Offenders.None(new FolderGraph(s_map.Value, room).Circles());

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_source_uses_only_rooms_the_table_names(string room) => Offenders.None(In(room).SelectMany(file => RoomArrows.Of(s_map.Value, file)
        .Where(arrow => !RoomTable.MayKnow[room].Contains(arrow.Room))
        .Select(arrow => $"{file.Path} uses {arrow.What}, and may not know {arrow.Room}.")));

    [Fact]
    public void A_type_has_a_name_of_its_own_in_the_whole_house() => Offenders.None(DoubleNames.In(s_map.Value.Files));

    private static IEnumerable<SourceFile> In(string room) => s_map.Value.Files.Where(file => SourceMap.RoomOf(file) == room);

    [GeneratedRegex(@"^option csharp_namespace = ""([\w.]+)"";")]
    private static partial Regex GeneratedNamespace();
}
