using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace KwaaiNet.ServiceDefaults.Tests;

/// <summary>Alone: who listens to spans hears every host of the process, those of tests running beside it too.</summary>
[Collection(nameof(ServiceDefaultsTests))]
[CollectionDefinition(nameof(ServiceDefaultsTests), DisableParallelization = true)]
public sealed class ServiceDefaultsTests
{
    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task Health_is_answered_in_every_environment(string environment)
    {
        await using WebApplication app = await StartAsync(environment);
        HttpClient http = app.GetTestClient();
        Assert.Equal("Healthy", await http.GetStringAsync(ServiceDefaultsExtensions.HealthPath, TestContext.Current.CancellationToken));
        Assert.Equal("Healthy", await http.GetStringAsync(ServiceDefaultsExtensions.AlivePath, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_node_that_cannot_take_work_is_alive_but_not_healthy()
    {
        await using WebApplication app = await StartAsync(configure: builder =>
            builder.Services.AddHealthChecks().AddCheck("model", () => HealthCheckResult.Unhealthy("the blocks are still loading")));
        HttpClient http = app.GetTestClient();
        using HttpResponseMessage health = await http.GetAsync(ServiceDefaultsExtensions.HealthPath, TestContext.Current.CancellationToken);
        using HttpResponseMessage alive = await http.GetAsync(ServiceDefaultsExtensions.AlivePath, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Fact]
    public async Task A_probe_that_finds_a_node_loading_is_not_logged_as_an_error()
    {
        await using WebApplication app = await StartAsync();
        ILoggerFactory loggers = app.Services.GetRequiredService<ILoggerFactory>();
        Assert.False(loggers.CreateLogger("Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService").IsEnabled(LogLevel.Error));
        Assert.True(loggers.CreateLogger("KwaaiNet.ShardNode").IsEnabled(LogLevel.Information));
    }

    [Theory]
    [InlineData("KwaaiNet.ShardNode")]
    [InlineData("KwaaiNet.AnythingNew")]
    [InlineData("Experimental.Microsoft.Extensions.AI")]
    public async Task Spans_and_meters_of_every_room_are_listened_to(string name)
    {
        // Instruments are enabled once somebody reads them; in a host that is the exporter.
        await using WebApplication app = await StartAsync(configure: builder =>
            builder.Services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddReader(new Reader())));
        using ActivitySource source = new(name);
        using Meter meter = new(name);
        Assert.True(source.HasListeners());
        Assert.True(meter.CreateCounter<long>("kwaainet.test").Enabled);
    }

    [Fact]
    public async Task Spans_of_others_are_not_collected()
    {
        await using WebApplication app = await StartAsync();
        using ActivitySource source = new("SomebodyElse");
        Assert.False(source.HasListeners());
    }

    [Fact]
    public async Task A_health_probe_makes_no_span_and_a_request_makes_one()
    {
        ConcurrentQueue<string> spans = [];
        await using WebApplication app = await StartAsync(configure: builder => builder.Services.ConfigureOpenTelemetryTracerProvider(
            tracing => tracing.AddProcessor(new Recorder(spans))));
        app.MapGet("/work", () => Results.Ok());
        HttpClient http = app.GetTestClient();
        await http.GetStringAsync(ServiceDefaultsExtensions.HealthPath, TestContext.Current.CancellationToken);
        await http.GetStringAsync(ServiceDefaultsExtensions.AlivePath, TestContext.Current.CancellationToken);
        await http.GetStringAsync("/work", TestContext.Current.CancellationToken);
        // A span ends behind the answer it is of, and the probes' came before: with it all of theirs are there, if there are any.
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(10));
        while (!spans.Contains("GET /work")) await poll.WaitForNextTickAsync(limit.Token);
        await app.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["GET /work"], spans);
    }

    [Fact]
    public async Task An_answer_may_take_longer_than_any_resilience_handler_allows()
    {
        // The standard handler would cut an attempt after 10 s and bring its own options; a client of ours has the default of HttpClient alone.
        await using WebApplication app = await StartAsync();
        Assert.DoesNotContain(
            app.Services.GetServices<Microsoft.Extensions.Http.IHttpMessageHandlerBuilderFilter>(),
            filter => filter.GetType().FullName!.Contains("Resilience", StringComparison.Ordinal));
    }

    private static async Task<WebApplication> StartAsync(string environment = "Production", Action<WebApplicationBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.AddServiceDefaults();
        configure?.Invoke(builder);
        WebApplication app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private sealed class Reader : MetricReader;

    private sealed class Recorder(ConcurrentQueue<string> spans) : OpenTelemetry.BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.Kind == ActivityKind.Server)
            {
                spans.Enqueue(data.DisplayName);
            }
        }
    }
}
