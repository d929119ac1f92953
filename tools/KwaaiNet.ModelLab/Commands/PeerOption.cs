using System.CommandLine;

namespace KwaaiNet.ModelLab.Commands;

/// <summary><c>--peer</c>: where llama.cpp's side of a comparison is.</summary>
internal static class PeerOption
{
    private const string Description = "The program built from tools/KwaaiNet.ModelLab/peer/peer.cpp; set LLAMA_LIBRARIES to the folder of its libraries.";

    /// <summary>For commands that cannot do without.</summary>
    public static Option<string> Required { get; } = new("--peer") { Description = Description, Required = true };

    /// <summary>For commands that say more with it.</summary>
    public static Option<string?> Optional { get; } = new("--peer") { Description = Description };
}
