using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>A registry that has one file, on a port of this machine; counts what it gives out.</summary>
internal sealed class FileRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private long _sent;

    private FileRegistry(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Held back until it is completed: a download that takes its time.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<FileRegistry> StartAsync(string path)
    {
        string digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)));
        long size = new FileInfo(path).Length;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        FileRegistry registry = new(builder.Build());
        registry._app.Run(async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/manifests/6b", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync($$"""{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{digest}}","size":{{size}} }]}""");
                return;
            }

            // bytes=FROM-LAST
            string[] ends = context.Request.Headers.Range.ToString().Replace("bytes=", "", StringComparison.Ordinal).Split('-');
            long from = long.Parse(ends[0], null);
            long last = Math.Min(size - 1, long.Parse(ends[1], null));
            if (from > 0) await registry.Gate.Task.WaitAsync(context.RequestAborted);
            Interlocked.Add(ref registry._sent, last - from + 1);
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{last}/{size}";
            await context.Response.SendFileAsync(path, from, last - from + 1, context.RequestAborted);
        });
        await registry._app.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        Gate.TrySetResult();
        using CancellationTokenSource now = new(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
