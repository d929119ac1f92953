using System.Xml.Linq;

namespace KwaaiNet.Architecture.Tests;

/// <summary>The working copy these tests were built from, as files.</summary>
internal static class Repository
{
    private static readonly string[] s_builtFolders = ["bin", "obj", "node_modules", "TestResults", "BenchmarkDotNet.Artifacts"];

    public static string Root { get; } = FindRoot();

    public static IEnumerable<string> Files(string pattern) => Directory.EnumerateFiles(Root, pattern, SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
        .Where(path => !path.Split('/').Any(part => s_builtFolders.Contains(part) || (part.StartsWith('.') && part.Length > 1)));

    public static XElement Project(string path) => XElement.Load(Path.Combine(Root, path));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KwaaiNet.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside a working copy.");
    }
}
