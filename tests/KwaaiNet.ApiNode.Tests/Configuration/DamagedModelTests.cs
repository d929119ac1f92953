using System.Text;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Tests.Configuration;

/// <summary>One damaged model among several: it is not served, and the others are.</summary>
public sealed class DamagedModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kwaainet-api-").FullName;

    [Fact]
    public async Task A_part_of_a_model_that_has_changed_since_its_download_stops_nobody_else()
    {
        string whole = Path.Combine(RepositoryFolder(), "models", "kwaai-demo.gguf");
        ApiOptions options = new() { Models = { new() { Name = "damaged", Path = DamagedPartOf(whole) }, new() { Name = "demo", Path = whole } } };
        using ChatModelCatalog catalog = new(Options.Create(options), NullLogger<ChatModelCatalog>.Instance);
        await catalog.StartAsync(TestContext.Current.CancellationToken);
        await catalog.ExecuteTask!.WaitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["demo"], catalog.Models.Select(model => model.Id));
        Assert.False(catalog.IsOpening("damaged"));
        Assert.NotNull(catalog.Find("demo")!.ChatTemplate);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>All metadata of a model and one tensor, whose SHA-256 is another's.</summary>
    private string DamagedPartOf(string whole)
    {
        byte[] source = File.ReadAllBytes(whole);
        GgufLayout layout = GgufLayout.TryRead(source, whole)!;
        string path = Path.Combine(_folder, "part.gguf");
        using FileStream stream = File.Create(path);
        using BinaryWriter writer = new(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(1ul);
        writer.Write((ulong)layout.MetadataCount + 2);
        writer.Write(layout.Metadata.Span);
        Text(GgufPart.SourceSha256Key);
        writer.Write((uint)GgufValueType.String);
        Text(new string('a', 64));
        Text(GgufPart.TensorDigestsKey);
        writer.Write((uint)GgufValueType.Array);
        writer.Write((uint)GgufValueType.String);
        writer.Write(1ul);
        Text(new string('b', 64));

        Text("tensor");
        writer.Write(1u);
        writer.Write(8ul);
        writer.Write((uint)GgmlType.F32);
        writer.Write(0ul);
        while (stream.Position % layout.Alignment != 0) writer.Write((byte)0);
        writer.Write(new byte[8 * sizeof(float)]);
        return path;

        void Text(string text)
        {
            writer.Write((ulong)Encoding.UTF8.GetByteCount(text));
            writer.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    private static string RepositoryFolder()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KwaaiNet.slnx")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
