using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace KwaaiNet.ServiceDefaults;

/// <summary>What every host of the network has: telemetry, health endpoints, service discovery.</summary>
/// <remarks>
/// No resilience handler with a time limit is put on HTTP clients: an answer streams for as long as it takes, and a step
/// that is tried again must be tried again by the chain, which knows what has already run.
/// </remarks>
public static class ServiceDefaultsExtensions
{
    /// <summary>All health checks pass: the node can take work.</summary>
    public const string HealthPath = "/health";

    /// <summary>The process runs.</summary>
    public const string AlivePath = "/alive";

    /// <summary>Where a node says what it does, to whoever looks every second: not traced.</summary>
    private const string StatusPath = "/status";

    /// <summary>Tag of the checks that <see cref="AlivePath"/> asks.</summary>
    public const string LiveTag = "live";

    /// <summary>Adds telemetry, a liveness check and service discovery.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        // The lowest layer of configuration: a line for every probe and every heartbeat buries what matters, until somebody asks for it.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData =
            [
                new("Logging:LogLevel:Default", "Information"),
                new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
                // "Unhealthy: loading blocks" is an answer to the probe, not an error of the node.
                new("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", "None"),
            ],
        });
        OwnMachineProxy.Use();
        builder.ConfigureOpenTelemetry();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(client => client.AddServiceDiscovery());
        return builder;
    }

    /// <summary>Maps <see cref="HealthPath"/> and <see cref="AlivePath"/>, in every environment: nodes are probed across machines.</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = HealthWriter.WriteAsync });
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains(LiveTag), ResponseWriter = HealthWriter.WriteAsync });
        return app;
    }

    private static void ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("KwaaiNet.*")
                .AddMeter("Experimental.Microsoft.Extensions.AI"))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName)
                .AddSource("KwaaiNet.*")
                .AddSource("Experimental.Microsoft.Extensions.AI")
                .AddAspNetCoreInstrumentation(options => options.Filter = context =>
                    !context.Request.Path.StartsWithSegments(HealthPath)
                    && !context.Request.Path.StartsWithSegments(AlivePath)
                    && !context.Request.Path.StartsWithSegments(StatusPath)
                    // One long-lived gRPC stream is not a request: the hops of a session have spans of their own.
                    && context.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) != true));
        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            builder.Services.AddOpenTelemetry().UseOtlpExporter();
        }
    }
}
