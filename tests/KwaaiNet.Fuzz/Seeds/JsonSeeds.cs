using System.Text;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Words of every JSON file, to which a format adds its own.</summary>
internal static class JsonSeeds
{
    private static readonly string[] s_common =
    [
        "{", "}", "[", "]", ",", ":", "{}", "[]", "null", "true", "false", "0", "-1", "1", "1.5", "1e3", "1e400", "-0", "0.1e-400", "2147483647", "2147483648", "9223372036854775807",
        "9223372036854775808", "18446744073709551616", "1e-30", "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"\u00e4\"", "\\", "\"", "/**/", " ", "\ufeff",
    ];

    /// <summary>The words, each of the format's own also in quotation marks and as a key.</summary>
    public static IReadOnlyList<byte[]> Words(params IEnumerable<string> own) =>
        [.. s_common.Concat(own).Concat(own.Select(word => $"\"{word}\"")).Concat(own.Select(word => $"\"{word}\":")).Select(Encoding.UTF8.GetBytes), [0xFF], [0xED, 0xA0, 0x80]];
}
