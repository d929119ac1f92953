using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KwaaiNet.Architecture.Tests;

/// <summary>The dependency table of CONTRIBUTING.md. An arrow that is not in it does not exist.</summary>
public sealed partial class DependencyTests
{
    private static readonly string[] s_hosts = ["KwaaiNet.ApiNode", "KwaaiNet.Discovery", "KwaaiNet.ShardNode"];

    public static TheoryData<string> Rooms => [.. RoomTable.MayKnow.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_knows_only_the_rooms_the_table_names(string room)
    {
        string[] known = [.. References(room).Where(reference => reference.IsLoaded).Select(reference => reference.Name)];
        Offenders.None(known.Except(RoomTable.MayKnow[room]));
    }

    [Theory]
    [InlineData("KwaaiNet.Cli")]
    [InlineData("KwaaiNet.AppHost")]
    public void What_starts_the_hosts_builds_them_and_loads_none(string room)
    {
        string[] started = [.. References(room).Where(reference => !reference.IsLoaded).Select(reference => reference.Name).Order()];
        Assert.Equal(s_hosts, started);
    }

    [Fact]
    public void The_table_lists_every_room()
    {
        string[] rooms = [.. Repository.Files("*.csproj").Where(path => path.Count(character => character == '/') == 1).Select(path => Path.GetFileNameWithoutExtension(path)!)];
        Assert.Equal(RoomTable.MayKnow.Keys.Order(), rooms.Order());
    }

    [Fact]
    public void The_engine_knows_neither_network_nor_web()
    {
        string[] forbidden = ["Grpc", "Microsoft.AspNetCore", "Google.Protobuf"];
        XElement project = Repository.Project("KwaaiNet.CandelEngine/KwaaiNet.CandelEngine.csproj");
        string[] references = [.. project.Descendants().Where(item => item.Name.LocalName is "PackageReference" or "FrameworkReference").Select(item => (string)item.Attribute("Include")!)];
        Offenders.None(references.Where(reference => forbidden.Any(prefix => reference.StartsWith(prefix, StringComparison.Ordinal))));
    }

    [Fact]
    public void The_contributors_guide_shows_the_same_table()
    {
        // | `KwaaiNet.ShardNode` | … | Protocol, CandelEngine, ServiceDefaults |
        Dictionary<string, string[]> documented = Repository.Lines("CONTRIBUTING.md")
            .Select(line => TableRow().Match(line))
            .Where(match => match.Success)
            .ToDictionary(
                match => match.Groups["room"].Value,
                match => match.Groups["knows"].Value.Split(',', StringSplitOptions.TrimEntries)
                    .Where(name => RoomTable.MayKnow.ContainsKey("KwaaiNet." + name)).Select(name => "KwaaiNet." + name).Order().ToArray());
        Assert.Equal(RoomTable.MayKnow.Keys.Order(), documented.Keys.Order());
        Assert.All(RoomTable.MayKnow, room => Assert.Equal(room.Value.Order(), documented[room.Key]));
    }

    private static IEnumerable<(string Name, bool IsLoaded)> References(string room) => Repository.Project($"{room}/{room}.csproj")
        .Descendants("ProjectReference")
        .Select(item => (
            Path.GetFileNameWithoutExtension(((string)item.Attribute("Include")!).Replace('\\', '/')),
            room != "KwaaiNet.AppHost" && (string?)item.Attribute("ReferenceOutputAssembly") != "false"));

    [GeneratedRegex(@"^\| `(?<room>KwaaiNet\.\w+)` \|[^|]*\|(?<knows>[^|]*)\|$")]
    private static partial Regex TableRow();
}
