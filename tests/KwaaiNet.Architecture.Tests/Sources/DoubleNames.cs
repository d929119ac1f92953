namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>Names that more than one namespace gives to a type. Parts of one type, and types of one name with other type parameters beside it, are one.</summary>
internal static class DoubleNames
{
    public static IEnumerable<string> In(IEnumerable<SourceFile> files) => files
        .SelectMany(file => file.Types.Distinct().Select(type => (type, file)))
        .GroupBy(pair => pair.type, StringComparer.Ordinal)
        .Where(group => group.Select(pair => pair.file.Namespace).Distinct().Count() > 1)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => $"{group.Key}: {string.Join(", ", group.Select(pair => pair.file.Path).Order(StringComparer.Ordinal))}");
}
