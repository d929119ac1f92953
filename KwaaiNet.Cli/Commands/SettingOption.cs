using System.CommandLine;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>--set Section:Key=value</c>: a setting passed on to every node.</summary>
internal static class SettingOption
{
    public static Option<string[]> Create()
    {
        Option<string[]> set = new("--set") { Description = "A setting for every node, by the hosts' own keys; may be repeated.", HelpName = "SECTION:KEY=VALUE" };
        set.Validators.Add(result =>
        {
            foreach (string setting in result.Tokens.Select(token => token.Value))
            {
                if (setting.IndexOf('=') < 1)
                {
                    result.AddError($"'{setting}' is not a setting: write Section:Key=value.");
                }
            }
        });
        return set;
    }

    /// <summary>Given twice, the last one counts, as in the hosts' own command lines.</summary>
    public static IReadOnlyDictionary<string, string> Read(string[]? settings) => (settings ?? []).Select(setting => setting.Split('=', 2))
        .GroupBy(parts => parts[0], StringComparer.OrdinalIgnoreCase)
        .ToDictionary(group => group.Key, group => group.Last()[1], StringComparer.OrdinalIgnoreCase);
}
