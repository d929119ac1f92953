using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.Cli.Tests;

/// <summary>A registry on a port of this machine that has one file under every name, and some settings for it.</summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private const string Parameters = """{"temperature":0.7}""";

    private readonly WebApplication _app;

    private FakeRegistry(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public static async Task<FakeRegistry> StartAsync(byte[] file)
    {
        byte[] parameters = System.Text.Encoding.UTF8.GetBytes(Parameters);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        app.MapGet("/v2/library/{name}/manifests/{tag}", () => Results.Text(
            $$"""{"layers":[{{Layer("model", file)}},{{Layer("params", parameters)}}]}""", "application/json"));
        app.MapGet("/v2/library/{name}/blobs/{digest}", (string digest) => Results.Bytes(
            digest == Digest(parameters) ? parameters : file, "application/octet-stream", enableRangeProcessing: true));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new FakeRegistry(app);

        static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        static string Layer(string kind, byte[] bytes) => $$"""{"mediaType":"application/vnd.ollama.image.{{kind}}","digest":"{{Digest(bytes)}}","size":{{bytes.Length}}}""";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
