using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using KwaaiNet.Protocol.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Runs a host as a program: one readable line when it cannot start, and exit codes that mean something.</summary>
public static partial class NodeProgram
{
    /// <summary>Exit code of a clean stop, Ctrl-C and SIGTERM included.</summary>
    public const int Ok = 0;

    /// <summary>Exit code when the host could not start, or failed while it ran.</summary>
    public const int Failed = 1;

    /// <summary>Exit code when a setting is wrong or missing.</summary>
    public const int BadConfiguration = 2;

    /// <summary>Exit code when the device a node computes on failed while it served: the node has taken itself out, and a new process may have the device again.</summary>
    public const int DeviceFailed = 3;

    /// <summary>Set this environment variable to <c>1</c> to see stack traces.</summary>
    public const string TraceVariable = "KWAAINET_TRACE";

    private static readonly TimeSpan s_windowsPatience = TimeSpan.FromSeconds(4.5);

    /// <summary>Composes and runs a host until it is stopped.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="compose">Makes the host.</param>
    /// <returns><see cref="Ok"/>, <see cref="Failed"/>, <see cref="BadConfiguration"/>, or the code of a <see cref="NodeFailureException"/>. On a failure <c>error: what, and what to do</c> stands on stderr.</returns>
    public static async Task<int> RunAsync(string[] args, Func<string[], WebApplication> compose)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(compose);
        bool trace = Environment.GetEnvironmentVariable(TraceVariable) == "1";
        WebApplication? app = null;
        PosixSignalRegistration? hangUp = null;
        bool stopping = false;
        // The host's own lifetime hears the first; a second one, which comes while the host is being put away, must not end it half-way.
        PosixSignalRegistration again = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel |= Volatile.Read(ref stopping));
        try
        {
            app = compose(args);
            trace |= IsDebugging(app.Configuration);
            // A closed terminal, or console window, stops a host in order, as Ctrl-C in it does; the system would end it where it stands.
            IHostApplicationLifetime lifetime = app.Lifetime;
            lifetime.ApplicationStopping.Register(() => Volatile.Write(ref stopping, true));
            hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                lifetime.StopApplication();
                if (OperatingSystem.IsWindows())
                {
                    // There the process ends when this returns, and after five seconds in any case.
                    lifetime.ApplicationStopped.WaitHandle.WaitOne(s_windowsPatience);
                }
            });
            await app.StartAsync().ConfigureAwait(false);
            await app.WaitForShutdownAsync().ConfigureAwait(false);
            return ExitCode(app, trace);
        }
        catch (OperationCanceledException) when (app is not null && app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return ExitCode(app, trace);
        }
#pragma warning disable CA1031 // The outermost frame: whatever failed, the person at the terminal gets one line and an exit code.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return Report(error, trace);
        }
        finally
        {
            if (app is not null)
                await app.DisposeAsync().ConfigureAwait(false);
            hangUp?.Dispose();
            again.Dispose();
        }
    }

    /// <summary>The one line that says what is wrong and what to do, and the exit code.</summary>
    internal static (string Line, int Code) Describe(Exception error)
    {
        if (error is AggregateException { InnerExceptions.Count: > 0 } several)
            error = several.InnerExceptions[0];
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case OptionsValidationException options:
                    return (OneLine(string.Join(" ", options.Failures)), BadConfiguration);
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return (PortInUse(error), Failed);
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return (OneLine($"{error.Message} This user may not listen there: choose a port above 1023 (Node:GrpcPort, Node:HttpPort)."), Failed);
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return (OneLine($"{error.Message} Set Node:Host to an address of this machine, or to 0.0.0.0."), Failed);
                case NodeFailureException failure:
                    return (OneLine(failure.Message), failure.ExitCode);
                case NodeIdentityException:
                    return (OneLine(cause.Message), Failed);
            }
        }

        // What the configuration binder says: Failed to convert configuration value 'x' at 'Node:GrpcPort' to type 'System.Int32'.
        if (error is InvalidOperationException && ConversionFailure().Match(error.Message) is { Success: true } match)
            return (string.Create(CultureInfo.InvariantCulture, $"{match.Groups["key"].Value} cannot be '{match.Groups["value"].Value}'. Set it to a value of the right kind, or leave it out."), BadConfiguration);
        if (error is FormatException or InvalidDataException && error.StackTrace?.Contains("Configuration", StringComparison.Ordinal) == true)
            return (OneLine($"A configuration source cannot be read: {error.Message}"), BadConfiguration);
        return (OneLine(error.Message), Failed);
    }

    /// <summary>Keeps the host and Kestrel from logging a stack trace for a failure that <see cref="RunAsync"/> reports in one line, and four lines for every request.</summary>
    internal static void QuietLogs(ILoggingBuilder logging, IConfiguration configuration)
    {
        const string AspNetCore = "Microsoft.AspNetCore";
        if (configuration[$"Logging:LogLevel:{AspNetCore}"] is null && !IsDebugging(configuration))
            logging.AddFilter(AspNetCore, LogLevel.Warning);
        if (Environment.GetEnvironmentVariable(TraceVariable) == "1" || IsDebugging(configuration))
            return;
        const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel";
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.Services.Configure<LoggerFilterOptions>(filters => filters.Rules.Add(new LoggerFilterRule(null, Kestrel, null,
            (_, category, level) => level >= LogLevel.Warning && (level < LogLevel.Critical || category != Kestrel))));
    }

    private static bool IsDebugging(IConfiguration configuration) =>
        Enum.TryParse(configuration["Logging:LogLevel:Default"], ignoreCase: true, out LogLevel level) && level <= LogLevel.Debug;

    // A background service that fails stops its host, also while it is still starting; that is not a clean stop.
    private static int ExitCode(WebApplication app, bool trace) =>
        FindFault(app.Services) is Exception fault ? Report(fault, trace) : Ok;

    private static Exception? FindFault(IServiceProvider services) =>
        services.GetServices<IHostedService>().OfType<BackgroundService>()
            .FirstOrDefault(service => service.ExecuteTask?.IsFaulted == true)?.ExecuteTask?.Exception;

    private static int Report(Exception error, bool trace)
    {
        (string line, int code) = Describe(error);
        Console.Error.WriteLine($"error: {line}");
        if (trace)
            Console.Error.WriteLine(error);
        return code;
    }

    // Kestrel: Failed to bind to address https://127.0.0.1:11435: address already in use.
    private static string PortInUse(Exception error)
    {
        Match match = BoundAddress().Match(error.Message);
        return match.Success
            ? $"Port {match.Groups["port"].Value} is in use by another program. Stop that program, or set {(match.Groups["scheme"].Value == "https" ? "Node:GrpcPort" : "Node:HttpPort")} to another port (0 lets the system choose)."
            : OneLine($"{error.Message} Stop the program that uses the port, or set Node:GrpcPort or Node:HttpPort to another one.");
    }

    private static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    [GeneratedRegex(@"(?<scheme>https?)://\S*:(?<port>\d+)")]
    private static partial Regex BoundAddress();

    [GeneratedRegex("Failed to convert configuration value '(?<value>.*)' at '(?<key>.*?)' to type")]
    private static partial Regex ConversionFailure();
}
