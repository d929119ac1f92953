using KwaaiNet.Cli.Installation;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>The models the networks of these tests serve.</summary>
internal static class TestModels
{
    private static readonly Lazy<string> s_synthetic = new(() =>
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("kwaainet-model-").FullName, "synthetic.gguf");
        SyntheticChatModel.Write(path);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        return path;
    });

    /// <summary>Never stops by itself: for what must happen in the middle of an answer.</summary>
    public static string Endless => s_synthetic.Value;

    /// <summary>The model that ships with the product; the synthetic one in a working copy without it.</summary>
    public static string Shipped { get; } = Find();

    private static string Find()
    {
        string shipped = Path.Combine(RepositoryFolder.Find(AppContext.BaseDirectory)!, "models", "kwaai-demo.gguf");
        return File.Exists(shipped) ? shipped : Endless;
    }
}
