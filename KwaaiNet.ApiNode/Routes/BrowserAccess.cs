using KwaaiNet.ApiNode.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Lets web pages of the configured origins call the API (CORS). Without any, browsers keep every page out.</summary>
internal static class BrowserAccess
{
    // How long a browser may remember a preflight's answer; a changed setting is seen after that.
    private static readonly TimeSpan s_preflightLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Registers what <see cref="UseBrowserAccess"/> needs.</summary>
    public static IServiceCollection AddBrowserAccess(this IServiceCollection services)
    {
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<ApiOptions>>((cors, api) => cors.AddDefaultPolicy(policy => Allow(policy, api.Value.Cors)));
        return services;
    }

    /// <summary>Answers preflights and marks every answer, errors among them: must stand before whatever answers.</summary>
    public static void UseBrowserAccess(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Cors.Origins.Count > 0)
        {
            app.UseCors();
        }
    }

    private static void Allow(CorsPolicyBuilder policy, ApiCorsOptions cors)
    {
        // Keys are sent in a header and not as cookies, so credentials are not needed and any origin may be allowed.
        policy.AllowAnyHeader().AllowAnyMethod().WithExposedHeaders("Retry-After").SetPreflightMaxAge(s_preflightLifetime);
        if (cors.Origins.Contains(ApiCorsOptions.AnyOrigin))
        {
            policy.AllowAnyOrigin();
        }
        else
        {
            policy.WithOrigins([.. cors.Origins.Select(origin => origin.TrimEnd('/'))]);
        }
    }
}
