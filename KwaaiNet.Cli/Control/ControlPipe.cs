using System.Security.Cryptography;
using System.Text;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Control;

/// <summary>How <c>kwaainet down</c> and <c>kwaainet restart</c> reach the <c>kwaainet up</c> that owns the nodes: a pipe only its user can open.</summary>
/// <remarks>A request is one line (<c>stop</c>, <c>restart NODE</c>); the reply is a line of JSON, a <see cref="ControlReply"/>.</remarks>
internal static class ControlPipe
{
    public const string Stop = "stop";
    public const string Restart = "restart";

    /// <summary>One name for one home. A hash, because on Unix the name becomes a socket's path, and those are short.</summary>
    public static string NameFor(KwaaiNetHome home) =>
        "kwaainet-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home.Folder)))[..16];
}
