using System.ComponentModel;
using System.Diagnostics;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Processes;

/// <summary>A node that runs as a child process. What it writes goes into its log; what went wrong last is remembered.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    /// <summary>How long a node may take to finish in order before it is killed.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);

    /// <summary>How long the system may take to end a process that was killed.</summary>
    public static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(1);

    // ASP.NET would bind these beside the ports a node is told to bind; a developer's shell may have them set.
    private static readonly string[] s_foreignVariables =
        ["ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "DOTNET_URLS", "URLS", "HTTP_PORTS", "HTTPS_PORTS"];

    private readonly Process _process;
    private readonly NodeLog _log;
    private readonly TimeProvider _clock;
    private volatile string? _lastError;
    private volatile NodeFile? _file;

    private NodeProcess(NodeLaunch launch, string folder, Process process, NodeLog log, TimeProvider clock)
    {
        Launch = launch;
        Folder = folder;
        _process = process;
        _log = log;
        _clock = clock;
        Stamp = ProcessStamp.Of(process);
        Exit = RunToEndAsync();
    }

    public NodeLaunch Launch { get; }

    public string Name => Launch.Name;

    /// <summary>The node's home: identity, addresses, log.</summary>
    public string Folder { get; }

    public string LogPath => _log.Path;

    public ProcessStamp Stamp { get; }

    /// <summary>Completes with the exit code when the process has ended and all it wrote is in the log.</summary>
    public Task<int> Exit { get; }

    /// <summary>The last error the node reported; null when it reported none.</summary>
    public string? LastError => _lastError;

    /// <summary>What the node says about itself once its ports are bound, and said last when it has ended; null before.</summary>
    public NodeFile? ReadNodeFile()
    {
        if (NodeFile.TryRead(Folder) is { } file && file.Pid == Stamp.Pid)
        {
            _file = file;
        }

        return _file;
    }

    /// <summary>Starts a node.</summary>
    /// <exception cref="CommandFailure">The program is missing or cannot be started.</exception>
    public static NodeProcess Start(NodeLaunch launch, string folder, TimeProvider clock)
    {
        ProcessStartInfo start = HostProgram.Find(launch.Program).ToStartInfo();
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        if (OperatingSystem.IsWindows())
        {
            start.CreateNewProcessGroup = true;
        }

        foreach (string variable in s_foreignVariables)
        {
            start.Environment.Remove(variable);
        }

        start.Environment["Logging__Console__FormatterName"] = "simple";
        start.Environment["Logging__Console__FormatterOptions__SingleLine"] = "true";
        // The name is an argument as well, so that a process list tells three shards apart.
        start.ArgumentList.Add($"--Node:Name={launch.Name}");
        start.Environment["Node__Home"] = folder;
        start.Environment["Node__ParentProcessId"] = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach ((string key, string value) in launch.Settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        try
        {
            Directory.CreateDirectory(folder);
            File.Delete(Path.Combine(folder, NodeFile.FileName));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{launch.Name} could not be started: {exception.Message}", $"make {folder} writable, and room on its disk.");
        }

        NodeLog log = new(Path.Combine(folder, "log.txt"), clock);
        try
        {
            Process process = Process.Start(start) ?? throw new Win32Exception("no process was started");
            process.StandardInput.Close();
            return new NodeProcess(launch, folder, process, log, clock);
        }
        catch (Win32Exception exception)
        {
            log.Dispose();
            throw new CommandFailure(
                $"{launch.Name} could not be started: {exception.Message}",
                $"check that {start.FileName} can be run.");
        }
    }

    /// <summary>Asks the node to finish, and kills it when it has not within <paramref name="grace"/> or when <paramref name="now"/> is cancelled.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken now = default)
    {
        if (!Exit.IsCompleted && StopSignal.Send(_process))
        {
            try
            {
                await Exit.WaitAsync(grace, _clock, now).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
            {
                _log.Write($"warn: {KwaaiNetHome.SupervisorName}: did not stop when asked to; killed.");
            }
        }

        Kill();
        try
        {
            await Exit.WaitAsync(KillPatience, _clock, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It waits for a device or a disk that does not answer, and ends with that: nobody can do more.
            _log.Write($"warn: {KwaaiNetHome.SupervisorName}: was killed, and the system has not ended it yet.");
        }
    }

    /// <summary>Ends the process at once (SIGKILL).</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _process.Dispose();
        _log.Dispose();
    }

    private async Task<int> RunToEndAsync()
    {
        Task pumps = Task.WhenAll(PumpAsync(_process.StandardOutput, isError: false), PumpAsync(_process.StandardError, isError: true));
        await _process.WaitForExitAsync().ConfigureAwait(false);
        await pumps.ConfigureAwait(false);
        _log.Write($"info: {KwaaiNetHome.SupervisorName}: the process ended with exit code {_process.ExitCode}.");
        return _process.ExitCode;
    }

    private async Task PumpAsync(StreamReader reader, bool isError)
    {
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            _log.Write(line);
            // What the runtime says last about an unhandled exception is its stack: the line that names it is worth more.
            bool isFrame = line.StartsWith("   at ", StringComparison.Ordinal);
            if ((isError && !isFrame) || line.StartsWith("fail: ", StringComparison.Ordinal) || line.StartsWith("crit: ", StringComparison.Ordinal))
            {
                _lastError = line;
            }
        }
    }
}
