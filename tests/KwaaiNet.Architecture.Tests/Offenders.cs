namespace KwaaiNet.Architecture.Tests;

/// <summary>The assertion of this project: one run names everything that breaks a rule.</summary>
internal static class Offenders
{
    public static void None(IEnumerable<string> offenders)
    {
        string[] all = [.. offenders];
        Assert.True(all.Length == 0, string.Join(Environment.NewLine, all));
    }
}
