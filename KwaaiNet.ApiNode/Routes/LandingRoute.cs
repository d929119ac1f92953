using System.Text;
using System.Text.Encodings.Web;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;

namespace KwaaiNet.ApiNode.Routes;

/// <summary><c>GET /</c>: what this is and the command that tries it, for somebody who opened the port in a browser.</summary>
internal static class LandingRoute
{
    /// <summary>Maps the route.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapReadable("/", HandleAsync);

    private static Task HandleAsync(HttpContext context)
    {
        IChatModelCatalog catalog = context.RequestServices.GetRequiredService<IChatModelCatalog>();
        ChainRouter router = context.RequestServices.GetRequiredService<ChainRouter>();
        StringBuilder rows = new();
        foreach (ChatModel model in catalog.Models)
        {
            ChainPlan plan = router.Plan(model);
            string state = plan.Found ? $"ready on {plan.Chain.Hops.Length} shards" : $"not ready: blocks {string.Join(", ", plan.NoChain.Missing)} missing";
            rows.Append("<li><code>").Append(Html(model.Id)).Append("</code> ").Append(Html(state)).AppendLine("</li>");
        }

        string example = catalog.Models.FirstOrDefault(model => router.Plan(model).Found)?.Id ?? catalog.Models.FirstOrDefault()?.Id ?? "MODEL";
        string url = $"{context.Request.Scheme}://{context.Request.Host}";
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
        return context.Response.WriteAsync(
            $$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>KwaaiNet</title>
            <style>body{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}pre{background:#8882;padding:1rem;overflow:auto}:root{color-scheme:light dark}</style>
            <h1>KwaaiNet</h1>
            <p>An OpenAI-compatible API over a network of shard nodes: each holds some blocks of a model, together they answer.</p>
            <h2>Models</h2>
            <ul>
            {{(rows.Length > 0 ? rows.ToString() : "<li>none yet</li>")}}</ul>
            <h2>Try it</h2>
            <pre>{{Html($$"""
            curl {{url}}/v1/chat/completions \
              -H "Content-Type: application/json" \
              -d '{"model": "{{example}}", "messages": [{"role": "user", "content": "Hello!"}]}'
            """)}}</pre>
            <p>GET /v1/models · GET /v1/models/{id} · POST /v1/chat/completions · GET /health · GET /alive</p>
            </html>
            """,
            context.RequestAborted);
    }

    private static string Html(string text) => HtmlEncoder.Default.Encode(text);
}
