using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace KwaaiNet.Discovery.Tests;

/// <summary>A Redis server of a test's own, with the settings of its choice. Skips where no <c>redis-server</c> is installed.</summary>
internal sealed class RedisServerProcess : IAsyncDisposable
{
    private const int Attempts = 5;
    private readonly Process _process;
    private readonly string _password;

    private RedisServerProcess(Process process, int port, string password)
    {
        _process = process;
        _password = password;
        Port = port;
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public static async Task<RedisServerProcess> StartAsync(string password = "", params string[] settings)
    {
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePort();
            RedisServerProcess server = new(Run(port, password, settings), port, password);
            if (await server.AnswersAsync()) return server;
            await server.DisposeAsync();
            Assert.True(attempt < Attempts, "redis-server does not start.");
        }
    }

    /// <summary>Changes a setting while the server runs.</summary>
    public async Task SetAsync(string setting, string value)
    {
        await using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions { EndPoints = { Address }, Password = _password, AllowAdmin = true, AbortOnConnectFail = true });
        await redis.GetServer(Address).ConfigSetAsync(setting, value);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static Process Run(int port, string password, string[] settings)
    {
        ProcessStartInfo start = new("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in new[] { "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no" }) start.ArgumentList.Add(word);
        if (password.Length > 0)
        {
            start.ArgumentList.Add("--requirepass");
            start.ArgumentList.Add(password);
        }

        foreach (string word in settings) start.ArgumentList.Add(word);
        try
        {
            Process process = Process.Start(start)!;
            // Whatever it has to say must not fill the pipe.
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }
        catch (Win32Exception missing)
        {
            Assert.Skip($"No redis-server: {missing.Message}");
            throw;
        }
    }

    private async Task<bool> AnswersAsync()
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!_process.HasExited && await timer.WaitForNextTickAsync(limit.Token))
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, Port, limit.Token);
                return !_process.HasExited;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }

        return false;
    }

    private static int FreePort()
    {
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }
}
