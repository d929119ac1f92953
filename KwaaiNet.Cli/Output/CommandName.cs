using KwaaiNet.Cli.Installation;

namespace KwaaiNet.Cli.Output;

/// <summary>How the user would type another command here, so that a remedy can be copied as it stands.</summary>
internal static class CommandName
{
    private static readonly string s_self = RepositoryFolder.Find(AppContext.BaseDirectory) is null
        ? "kwaainet"
        : "dotnet run --project KwaaiNet.Cli -c Release --";

    /// <summary><c>kwaainet down</c>, or what stands for it in a working copy.</summary>
    public static string For(string arguments) => $"{s_self} {arguments}";
}
