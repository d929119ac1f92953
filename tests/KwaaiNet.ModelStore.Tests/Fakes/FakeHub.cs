using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.ModelStore.Tests.Fakes;

/// <summary>A registry and a hub on a port of this machine, with every bad habit a test asks for.</summary>
internal sealed class FakeHub : IAsyncDisposable
{
    private readonly WebApplication _app;
    private long _sent;

    private FakeHub(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>Texts by path: manifests, lists of files.</summary>
    public ConcurrentDictionary<string, string> Texts { get; } = new();

    /// <summary>Paths that are refused whatever lies there, with the status.</summary>
    public ConcurrentDictionary<string, int> Statuses { get; } = new();

    /// <summary>Files by path.</summary>
    public ConcurrentDictionary<string, Content> Files { get; } = new();

    /// <summary>Paths that send on to another.</summary>
    public ConcurrentDictionary<string, string> Redirects { get; } = new();

    /// <summary>Headers of a path's answer or redirect.</summary>
    public ConcurrentDictionary<string, Dictionary<string, string>> Headers { get; } = new();

    /// <summary>After how many bytes of an answer the connection is cut, for one answer after another.</summary>
    public ConcurrentQueue<long> Cuts { get; } = new();

    /// <summary>Statuses that are answered before anything else, for one request for a file after another.</summary>
    public ConcurrentQueue<int> Refusals { get; } = new();

    public bool IgnoresRanges { get; set; }

    /// <summary>Set when an answer should stand still after its first bytes.</summary>
    public bool Stalls { get; set; }

    public string ETag { get; set; } = "\"one\"";

    public long Sent => Interlocked.Read(ref _sent);

    public ConcurrentQueue<(string Path, string? Range, string? Authorization)> Requests { get; } = new();

    public static async Task<FakeHub> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        FakeHub hub = new(builder.Build());
        hub._app.Run(hub.AnswerAsync);
        await hub._app.StartAsync(TestContext.Current.CancellationToken);
        hub.Address = hub._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return hub;
    }

    /// <summary>Publishes a model in the registry's way.</summary>
    public void PublishInRegistry(string name, string tag, Content model, string? sha256 = null, long? size = null, params (string Kind, string Text)[] texts)
    {
        string place = name.Contains('/') ? $"/v2/{name}" : $"/v2/library/{name}";
        List<string> layers = [];
        Add("model", model, sha256 ?? model.Sha256(), size ?? model.Length);
        foreach ((string kind, string text) in texts)
        {
            Content content = new(Encoding.UTF8.GetBytes(text));
            Add(kind, content, content.Sha256(), content.Length);
        }

        Texts[$"{place}/manifests/{tag}"] = $$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:{{new string('0', 64)}}","size":2},"layers":[{{string.Join(',', layers)}}]}""";

        void Add(string kind, Content content, string digest, long bytes)
        {
            Files[$"{place}/blobs/sha256:{digest}"] = content;
            layers.Add(string.Create(CultureInfo.InvariantCulture, $$"""{"mediaType":"application/vnd.ollama.image.{{kind}}","digest":"sha256:{{digest}}","size":{{bytes}}}"""));
        }
    }

    /// <summary>Publishes files in the hub's way: large ones behind a redirect.</summary>
    public void PublishInHub(string repository, params (string Path, Content Content, bool Large)[] files)
    {
        List<string> entries = ["""{"type":"directory","path":"folder","size":0,"oid":"0"}"""];
        foreach ((string path, Content content, bool large) in files)
        {
            string resolve = $"/{repository}/resolve/main/{path}";
            if (large)
            {
                string sha256 = content.Sha256();
                Redirects[resolve] = $"/cdn/{sha256}";
                Headers[resolve] = new() { ["X-Linked-Etag"] = $"\"{sha256}\"", ["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture) };
                Files[$"/cdn/{sha256}"] = content;
                entries.Add($$"""{"type":"file","path":"{{path}}","size":{{content.Length}},"oid":"{{new string('1', 40)}}","lfs":{"oid":"{{sha256}}","size":{{content.Length}},"pointerSize":134} }""");
            }
            else
            {
                byte[] bytes = new byte[content.Length];
                content.Read(0, bytes);
                Files[resolve] = content;
#pragma warning disable CA5350 // Git's own id.
                string git = Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
#pragma warning restore CA5350
                entries.Add($$"""{"type":"file","path":"{{path}}","size":{{content.Length}},"oid":"{{git}}"}""");
            }
        }

        Texts[$"/api/models/{repository}/tree/main"] = $"[{string.Join(',', entries)}]";
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        Requests.Enqueue((path, context.Request.Headers.Range, context.Request.Headers.Authorization));
        foreach ((string key, string value) in Headers.GetValueOrDefault(path) ?? []) context.Response.Headers[key] = value;
        if (Redirects.TryGetValue(path, out string? other))
        {
            context.Response.Redirect(other);
            return;
        }

        if (Statuses.TryGetValue(path, out int refused))
        {
            context.Response.StatusCode = refused;
            return;
        }

        if (Texts.TryGetValue(path, out string? text))
        {
            await context.Response.WriteAsync(text);
            return;
        }

        if (!Files.TryGetValue(path, out Content? content))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (Refusals.TryDequeue(out int status))
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "1";
            return;
        }

        await SendAsync(context, content);
    }

    private async Task SendAsync(HttpContext context, Content content)
    {
        long from = 0;
        long end = content.Length;
        context.Response.Headers.ETag = ETag;
        string? ifRange = context.Request.Headers.IfRange;
        if (!IgnoresRanges && context.Request.Headers.Range.ToString() is { Length: > 6 } range && (string.IsNullOrEmpty(ifRange) || ifRange == ETag))
        {
            string[] ends = range["bytes=".Length..].Split('-');
            from = long.Parse(ends[0], CultureInfo.InvariantCulture);
            if (ends[1].Length > 0) end = Math.Min(end, long.Parse(ends[1], CultureInfo.InvariantCulture) + 1);
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{end - 1}/{content.Length}";
        }

        if (!context.Response.Headers.ContainsKey("Content-Type")) context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = end - from;
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        long cut = Cuts.TryDequeue(out long after) ? from + after : long.MaxValue;
        byte[] buffer = new byte[1 << 18];
        while (from < end)
        {
            int count = (int)Math.Min(buffer.Length, Math.Min(end, cut) - from);
            content.Read(from, buffer.AsSpan(0, count));
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            Interlocked.Add(ref _sent, count);
            from += count;
            if (from >= cut && from < end)
            {
                context.Abort();
                return;
            }

            if (Stalls)
            {
                Stalls = false;
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                return;
            }
        }
    }
}
