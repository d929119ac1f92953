using System.Text.Json;
using System.Text.RegularExpressions;

namespace KwaaiNet.Architecture.Tests;

/// <summary>House rules that a reader should not have to check. Each test collects all offenders, so that one run names them all.</summary>
public sealed partial class HouseRuleTests
{
    private const int MaximumLines = 450;
    private const int MaximumProgramLines = 22;

    private static IEnumerable<string> ProductSources => Repository.Files("*.cs").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal));

    [Fact]
    public void A_file_is_read_in_one_sitting() =>
        Offenders.None(Repository.Files("*.cs").Where(path => Repository.Lines(path).Length > MaximumLines));

    [Fact]
    public void Program_composes_and_does_nothing_else() =>
        Offenders.None(Repository.Files("Program.cs")
            .Where(path => path.StartsWith("KwaaiNet.", StringComparison.Ordinal))
            .Where(path => Repository.Lines(path).Count(line => line.Length > 0) > MaximumProgramLines));

    [Fact]
    public void A_type_is_named_for_what_it_is()
    {
        // "Manager", "Helper" and "Utils" say that somebody had no better name.
        Offenders.None(ProductSources.SelectMany(path => Repository.Lines(path)
            .Where(line => VagueName().IsMatch(line))
            .Select(line => $"{path}: {line.Trim()}")));
    }

    [Fact]
    public void A_public_type_has_a_file_of_its_own() =>
        Offenders.None(ProductSources
            .Select(path => (path, types: Repository.Lines(path).Count(line => PublicType().IsMatch(line))))
            .Where(file => file.types > 1)
            .Select(file => $"{file.path}: {file.types}"));

    [Fact]
    public void Versions_stand_in_one_place() =>
        Offenders.None(Repository.Files("*.csproj").SelectMany(path => Repository.Project(path)
            .Descendants("PackageReference")
            .Where(item => item.Attribute("Version") is not null || item.Element("Version") is not null)
            .Select(item => $"{path}: {(string?)item.Attribute("Include")}")));

    [Fact]
    public void Every_project_is_in_the_solution_and_all_but_the_trainer_in_the_filter()
    {
        string[] projects = [.. Repository.Files("*.csproj").Order(StringComparer.Ordinal)];
        string[] solution = [.. Repository.Project("KwaaiNet.slnx").Descendants("Project").Select(item => (string)item.Attribute("Path")!).Order(StringComparer.Ordinal)];
        Assert.Equal(projects, solution);

        using JsonDocument filter = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "KwaaiNet.Core.slnf")));
        string[] core = [.. filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray().Select(item => item.GetString()!).Order(StringComparer.Ordinal)];
        Assert.Equal(projects.Where(path => !path.StartsWith("tools/KwaaiNet.DemoModel/", StringComparison.Ordinal)), core);
    }

    [Fact]
    public void The_Aspire_Sdk_is_of_the_same_minor_version_as_its_packages()
    {
        // The Sdk is published with fewer patches than the packages are: 13.6.4 goes with 13.6.5.
        Version central = Version.Parse(Repository.Project("Directory.Packages.props").Descendants("AspireVersion").Single().Value);
        string[] sdk = ((string)Repository.Project("KwaaiNet.AppHost/KwaaiNet.AppHost.csproj").Attribute("Sdk")!).Split('/');
        Assert.Equal("Aspire.AppHost.Sdk", sdk[0]);
        Version named = Version.Parse(sdk[1]);
        Assert.Equal((central.Major, central.Minor), (named.Major, named.Minor));
        Assert.True(named <= central, $"The Sdk ({named}) is ahead of its packages ({central}).");
    }

    [GeneratedRegex(@"\b(class|record|struct|interface|enum)\s+\w*(Manager|Helpers?|Utils?|Utilities)\b")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"^public\s+(?:(?:static|sealed|abstract|partial|readonly|ref)\s+)*(?:class|record|struct|interface|enum)\s")]
    private static partial Regex PublicType();
}
