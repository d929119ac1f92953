using System.Net;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Serving;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Hosting;

/// <summary>
/// <c>POST /drain</c>: the shard says that it leaves, takes no new sessions, lets the open ones go on for <see cref="ShardOptions.DrainSeconds"/>
/// and ends with exit code 0, as when it is told to stop.
/// </summary>
/// <remarks>For development: only there with <see cref="ShardOptions.Controls"/>, and only for programs on this machine.</remarks>
internal static class DrainEndpoint
{
    /// <summary>The path.</summary>
    public const string Path = "/drain";

    /// <summary>The header a caller must send.</summary>
    public const string Header = "X-KwaaiNet-Control";

    /// <summary>What the header must say.</summary>
    public const string HeaderValue = "drain";

    /// <summary>Maps the endpoint, where the configuration wants it.</summary>
    public static void Map(WebApplication app)
    {
        if (app.Configuration.GetValue<bool>($"{ShardOptions.Section}:{nameof(ShardOptions.Controls)}")) app.MapPost(Path, Drain);
    }

    private static IResult Drain(HttpContext context, ShardServing serving, IOptions<ShardOptions> options, IHostApplicationLifetime lifetime)
    {
        if (Objection(context) is { } objection) return TypedResults.Problem(objection, statusCode: StatusCodes.Status403Forbidden);

        // Not before the answer is out: stopping closes the connection it would travel on.
        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return TypedResults.Accepted((string?)null, new DrainStarted(serving.Held.Loop?.Gauges.Sessions ?? 0, options.Value.DrainSeconds));
    }

    private static string? Objection(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } caller || !IPAddress.IsLoopback(caller))
        {
            return $"{Path} is answered to programs on the shard's own machine only.";
        }

        // A browser sends Origin with every POST, also to a name that was made to point here: no page that somebody looks at ends a node.
        if (context.Request.Headers.Origin.Count > 0) return $"{Path} is not for web pages.";

        return context.Request.Headers[Header] == HeaderValue ? null : $"Send the header {Header}: {HeaderValue}.";
    }
}
