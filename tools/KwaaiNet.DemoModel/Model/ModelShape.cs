namespace KwaaiNet.DemoModel.Model;

/// <summary>The demo model's dimensions: a Llama with grouped-query attention and tied embeddings, small enough for a repository.</summary>
internal static class ModelShape
{
    public const string Name = "kwaai-demo";
    public const int Blocks = 6;
    public const int Width = 256;
    public const int Heads = 8;
    public const int KeyValueHeads = 4;
    public const int HeadSize = Width / Heads;
    public const int KeyValueWidth = KeyValueHeads * HeadSize;
    public const int FeedForward = 768;
    public const int Vocabulary = 2048;
    public const int Context = 1024;
    public const float NormEpsilon = 1e-5f;
    public const float RopeBase = 10_000f;
}
