using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Connections;

/// <summary>Lets every port answer clients that close their sending half after the request.</summary>
internal static class HalfClosedConnections
{
    /// <summary>Registers it. Must come before ports are configured: Kestrel gives its defaults to ports that are added later.</summary>
    public static IServiceCollection AddHalfClosedConnections(this IServiceCollection services)
    {
        services.AddOptions<KestrelServerOptions>().Configure<TimeProvider, IOptions<HalfClosedOptions>>((kestrel, time, options) =>
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection => HalfClosedConnection.ServeAsync(connection, next, options.Value, time))));
        return services;
    }

    /// <summary>Allows interim responses from a request's coming to the beginning of its answer.</summary>
    public static void UseInterimResponses(this WebApplication app) => app.Use(async (context, next) =>
    {
        // Older clients know no interim responses, newer protocols write them otherwise.
        if (context.Request.Protocol != "HTTP/1.1" || context.Features.Get<InterimResponses>() is not { } interim
            || context.Features.Get<IConnectionTransportFeature>() is not { } connection)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        context.Response.OnStarting(static state =>
        {
            ((InterimResponses)state).Forbid();
            return Task.CompletedTask;
        }, interim);
        interim.Allow(connection.Transport.Output);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            interim.Forbid();
        }
    });
}
