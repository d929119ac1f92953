using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Gives HTTP/1 requests the minimum data rates back that <see cref="NodeKestrel"/> takes away for streams between nodes.</summary>
internal sealed class HttpOneLimits : IStartupFilter
{
    // Kestrel's defaults.
    private static readonly MinDataRate s_rate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, rest) =>
        {
            if (!HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } request)
                    request.MinDataRate = s_rate;
                if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } response)
                    response.MinDataRate = s_rate;
            }

            return rest(context);
        });
        next(app);
    };
}
