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

    // "fail: KwaaiNet.ShardNode.Steps.StepLoop[0]", with the time before it that Aspire adds; "error: what is wrong", a node's last words.
    [GeneratedRegex(@"\b(fail|crit): KwaaiNet\.|^(\S+ )?error: |Unhandled exception|terminate called|Segmentation fault")]
    private static partial Regex WrittenError();

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
                ? WrittenError().IsMatch(message)
                : logLevel >= LogLevel.Error && category.StartsWith(OwnCategories, StringComparison.Ordinal);
            if (isError) errors.Enqueue($"{category}: {message}");
        }
    }
}
