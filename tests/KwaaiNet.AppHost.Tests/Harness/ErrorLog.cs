using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>Keeps what our own code logs as an error or worse, in whichever process, and whatever nobody handled.</summary>
/// <remarks>Not what Aspire says: its health checks log "fail" for as long as a resource loads, and that is an answer, not an error.</remarks>
internal sealed partial class ErrorLog : ILoggerProvider
{
    private const string OwnCategories = "KwaaiNet.";
    private const string ResourceCategories = "KwaaiNet.AppHost.Resources.";

    private readonly ConcurrentQueue<string> _errors = [];

    public IReadOnlyCollection<string> Errors => _errors;

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _errors);

    public void Dispose()
    {
    }

    // "12: 2026-11-29T12:26:00.9460000Z fail: KwaaiNet.ShardNode.Scheduling.StepLoop[0]": number and time are Aspire's. "error: what is wrong" is a node's last word.
    [GeneratedRegex(@"^(\d+: )?(\S+Z )?((fail|crit): KwaaiNet\.|error: |Unhandled exception)")]
    private static partial Regex WrittenError();

    // A console that has colours writes them between the words.
    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Colour();

    private sealed class Logger(string category, ConcurrentQueue<string> errors) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string message = formatter(state, exception);
            // What a resource writes is passed on line by line, at Information or (stderr) Error, whatever level the resource gave it.
            bool isError = category.StartsWith(ResourceCategories, StringComparison.Ordinal)
                ? WrittenError().IsMatch(Colour().Replace(message, ""))
                : logLevel >= LogLevel.Error && category.StartsWith(OwnCategories, StringComparison.Ordinal);
            if (isError) errors.Enqueue($"{category}: {message}");
        }
    }
}
