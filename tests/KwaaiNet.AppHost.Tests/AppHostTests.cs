using System.Net.Http.Json;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.AppHost.Tests;

/// <summary>The composition as a developer starts it, with the discovery that needs no container.</summary>
public sealed class AppHostTests
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_network_comes_up_answers_and_stops_without_an_error()
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        IDistributedApplicationTestingBuilder builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.KwaaiNet_AppHost>(
            ["--Discovery:Backend=embedded", "--Shards=2"], cancellationToken);
        using ErrorLog errors = new();
        builder.Services.AddLogging(logging => logging.AddProvider(errors));
        await using (DistributedApplication app = await builder.BuildAsync(cancellationToken).WaitAsync(s_startTimeout, cancellationToken))
        {
            await app.StartAsync(cancellationToken).WaitAsync(s_startTimeout, cancellationToken);
            foreach (string resource in new[] { "discovery", "shard-1", "shard-2", "api" })
            {
                await app.ResourceNotifications.WaitForResourceHealthyAsync(resource, cancellationToken).WaitAsync(s_startTimeout, cancellationToken);
            }

            using HttpClient http = app.CreateHttpClient("api", "http");
            using HttpResponseMessage response = await http.PostAsJsonAsync(
                "/v1/chat/completions",
                new { model = "kwaai-demo", messages = new[] { new { role = "user", content = "Hello!" } } },
                cancellationToken).WaitAsync(s_answerTimeout, cancellationToken);
            JsonElement answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            Assert.False(string.IsNullOrWhiteSpace(answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()));
            await app.StopAsync(cancellationToken).WaitAsync(s_startTimeout, cancellationToken);
        }

        Assert.Empty(errors.Errors);
    }
}
