using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>A network that the AppHost has started, with its dashboard; every port is the system's choice.</summary>
internal sealed class RunningNetwork : IAsyncDisposable
{
    // Enough for one process of a shard, from its start to its end.
    private const int LogLines = 40;

    private readonly DistributedApplication _app;
    private readonly string[] _resources;
    private readonly HttpClient _http;
    private bool _stopped;

    private RunningNetwork(DistributedApplication app, DashboardTelemetry telemetry, ErrorLog errors, string[] resources)
    {
        _app = app;
        _resources = resources;
        Telemetry = telemetry;
        Errors = errors;
        _http = Client("api");
    }

    /// <summary>What the dashboard has received.</summary>
    public DashboardTelemetry Telemetry { get; }

    /// <summary>What our own code has written as an error, on any console.</summary>
    public ErrorLog Errors { get; }

    /// <summary>The shards that started with the network.</summary>
    public IReadOnlyList<string> Shards => [.. _resources.Where(name => name.StartsWith("shard-", StringComparison.Ordinal))];

    /// <summary>Makes the builder as the tests run it.</summary>
    public static Task<IDistributedApplicationTestingBuilder> BuildAsync(params string[] options) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.KwaaiNet_AppHost>(
            new DistributedApplicationTestingBuilderOptions { EnableDashboard = true },
            ["--environment=Development", .. options.Select(option => "--" + option)],
            TestContext.Current.CancellationToken);

    /// <summary>Starts a network and waits until every resource that is not a spare one is healthy.</summary>
    public static async Task<RunningNetwork> StartAsync(params string[] options)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        ErrorLog errors = new();
        IDistributedApplicationTestingBuilder builder = await BuildAsync(options);
        builder.Services.AddLogging(logging => logging.ClearProviders().AddProvider(errors));
        string[] resources =
        [
            .. builder.Resources.Where(resource => resource is ProjectResource && !resource.Annotations.OfType<ExplicitStartupAnnotation>().Any())
                .Select(resource => resource.Name),
        ];
        DistributedApplication app = await builder.BuildAsync(cancellationToken).WaitAsync(Eventually.Limit, cancellationToken);
        try
        {
            await app.StartAsync(cancellationToken).WaitAsync(Eventually.Limit, cancellationToken);
            foreach (string resource in resources) await HealthyAsync(app, resource);
            Uri dashboard = await app.GetDashboardUrlAsync(cancellationToken).WaitAsync(Eventually.Limit, cancellationToken);
            DashboardTelemetry telemetry = new(dashboard, app.Services.GetRequiredService<IConfiguration>()["AppHost:DashboardApiKey"]);
            return new RunningNetwork(app, telemetry, errors, resources);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>A resource as the dashboard shows it now.</summary>
    public CustomResourceSnapshot Snapshot(string resource) =>
        _app.ResourceNotifications.TryGetCurrentState(resource, out ResourceEvent? state) ? state.Snapshot : throw new ArgumentException($"No resource {resource}.");

    /// <summary>Waits until a resource is shown as it should be.</summary>
    public async Task<CustomResourceSnapshot> UntilAsync(string resource, Func<CustomResourceSnapshot, bool> isSo) =>
        (await _app.ResourceNotifications.WaitForResourceAsync(resource, state => isSo(state.Snapshot), TestContext.Current.CancellationToken)
            .WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken)).Snapshot;

    /// <summary>Waits until a resource is healthy.</summary>
    public Task HealthyAsync(string resource) => HealthyAsync(_app, resource);

    /// <summary>Starts a resource that has ended, and waits until it is healthy.</summary>
    /// <remarks>
    /// The port it gets is one that the orchestrator found free a moment before: on a machine full of connections another program may have it
    /// by then. Who sees a resource fail to start presses Start again; so does this.
    /// </remarks>
    public async Task StartAgainAsync(string resource)
    {
        for (int tries = 1; ; tries++)
        {
            await RunAsync(resource, KnownResourceCommands.StartCommand);
            try
            {
                await HealthyAsync(_app, resource, tries < 3 ? TimeSpan.FromSeconds(60) : Eventually.Limit);
                return;
            }
            catch (Exception exception) when (tries < 3 && exception is TimeoutException or DistributedApplicationException)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{resource} did not come back at try {tries}: {exception.Message}\n{await LogOfAsync(resource)}");
                if (Snapshot(resource).State?.Text == KnownResourceStates.Running)
                {
                    await RunAsync(resource, KnownResourceCommands.StopCommand);
                    await UntilAsync(resource, snapshot => KnownResourceStates.TerminalStates.Contains(snapshot.State?.Text));
                }
            }
        }
    }

    // The end of what the resource has written to its console, all its processes one behind the other.
    private async Task<string> LogOfAsync(string resource)
    {
        if (!_app.ResourceNotifications.TryGetCurrentState(resource, out ResourceEvent? state)) return "";

        List<string> lines = [];
        await foreach (IReadOnlyList<LogLine> some in _app.Services.GetRequiredService<ResourceLoggerService>()
            .GetAllAsync(state.ResourceId).WithCancellation(TestContext.Current.CancellationToken))
        {
            lines.AddRange(some.Select(line => line.Content));
        }

        return string.Join('\n', lines.TakeLast(LogLines));
    }

    /// <summary>Runs a command as the dashboard's button does; what it says is what the user reads.</summary>
    public async Task<string> RunAsync(string resource, string command)
    {
        ExecuteCommandResult result = await _app.ResourceCommands.ExecuteCommandAsync(resource, command, TestContext.Current.CancellationToken)
            .WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        Assert.True(result.Success, $"{command} of {resource}: {result.Message}");
        return result.Message ?? "";
    }

    /// <summary>Runs a command that is refused, and returns what the user reads.</summary>
    public async Task<string> RunRefusedAsync(string resource, string command)
    {
        ExecuteCommandResult result = await _app.ResourceCommands.ExecuteCommandAsync(resource, command, TestContext.Current.CancellationToken)
            .WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        Assert.False(result.Success, $"{command} of {resource} should be refused: {result.Message}");
        return result.Message ?? "";
    }

    /// <summary>GET of a resource's page.</summary>
    public async Task<JsonElement> GetAsync(string resource, string path)
    {
        using HttpClient http = Client(resource);
        return await http.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);
    }

    /// <summary>A whole answer.</summary>
    public async Task<string> AnswerAsync(string model, string prompt, int maxTokens)
    {
        using HttpResponseMessage response = await _http.PostAsJsonAsync("/v1/chat/completions", Body(model, prompt, maxTokens, stream: false), TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        using JsonDocument json = JsonDocument.Parse(text);
        return json.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    /// <summary>Begins a streamed answer.</summary>
    public async Task<AnswerStream> StreamAsync(string model, string prompt, int maxTokens)
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(Body(model, prompt, maxTokens, stream: true)) };
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
        return new AnswerStream(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The shard that a stream runs through now and that holds these blocks.</summary>
    public Task<string> BusyShardAsync(Func<string, bool> blocks) => Eventually.SomethingAsync(
        async _ =>
        {
            JsonElement[] reports = await Task.WhenAll(Shards.Select(shard => GetAsync(shard, "/status")));
            return Shards.Zip(reports)
                .Where(entry => entry.Second.GetProperty("sessions").GetInt32() > 0 && blocks(entry.Second.GetProperty("blocks").GetString()!))
                .Select(entry => entry.First).FirstOrDefault();
        },
        "a shard has a session");

    /// <summary>Every process of every resource, with what it started in turn.</summary>
    public IReadOnlyList<(int Id, DateTime Started)> Processes() =>
        [.. _resources.SelectMany(resource => ProcessTree.Of(int.Parse(Property(resource, "executable.pid"), CultureInfo.InvariantCulture)))];

    /// <summary>A property of a resource, as text.</summary>
    public string Property(string resource, string property) =>
        Convert.ToString(Snapshot(resource).Properties.Single(entry => entry.Name == property).Value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>Stops as Ctrl-C on the AppHost does.</summary>
    public async Task StopAsync()
    {
        if (_stopped) return;

        _stopped = true;
        await _app.StopAsync(CancellationToken.None).WaitAsync(Eventually.Limit);
        await _app.DisposeAsync().AsTask().WaitAsync(Eventually.Limit);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        Telemetry.Dispose();
        Errors.Dispose();
    }

    private static object Body(string model, string prompt, int maxTokens, bool stream) => new
    {
        model,
        stream,
        temperature = 0,
        max_tokens = maxTokens,
        messages = new[] { new { role = "user", content = prompt } },
    };

    private static async Task HealthyAsync(DistributedApplication app, string resource, TimeSpan? patience = null)
    {
        TimeSpan limit = patience ?? Eventually.Limit;
        try
        {
            await app.ResourceNotifications.WaitForResourceHealthyAsync(resource, TestContext.Current.CancellationToken)
                .WaitAsync(limit, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            app.ResourceNotifications.TryGetCurrentState(resource, out ResourceEvent? state);
            string reports = string.Join("; ", state?.Snapshot.HealthReports.Select(report => $"{report.Name}: {report.Description}") ?? []);
            throw new TimeoutException($"{resource} is not healthy within {limit}: {state?.Snapshot.State?.Text} {reports}");
        }
    }

    // Not Aspire's client: that one gives up on an answer, and asks again, when the machine is busy.
    private HttpClient Client(string resource) =>
        new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _app.GetEndpoint(resource, "http"), Timeout = Eventually.Limit };
}
