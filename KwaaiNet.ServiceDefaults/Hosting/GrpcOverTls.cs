using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Keeps gRPC on the port with mutual TLS: the other one speaks HTTP/2 too, and knows nobody.</summary>
internal sealed class GrpcOverTls : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, rest) =>
        {
            if (context.Request.IsHttps || context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
                return rest(context);
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        });
        next(app);
    };
}
