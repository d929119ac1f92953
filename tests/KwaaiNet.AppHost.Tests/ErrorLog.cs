using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.AppHost.Tests;

/// <summary>Keeps what any resource, or Aspire itself, logs as an error.</summary>
internal sealed class ErrorLog : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _errors = [];

    public IReadOnlyCollection<string> Errors => _errors;

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _errors);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<string> errors) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string message = formatter(state, exception);
            // What a resource writes is passed on at Information, whatever level the resource gave it: "…: fail: Category[0]".
            if (logLevel >= LogLevel.Error || message.Contains("fail: ", StringComparison.Ordinal) || message.Contains("crit: ", StringComparison.Ordinal))
            {
                errors.Enqueue($"{category}: {message}");
            }
        }
    }
}
