namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>A span as the dashboard has it.</summary>
/// <param name="Resource">The resource that recorded it.</param>
/// <param name="Name">What was done.</param>
/// <param name="TraceId">The trace it belongs to.</param>
/// <param name="SpanId">Its own id.</param>
/// <param name="ParentId">The span it was done for; empty: a root.</param>
/// <param name="Attributes">Everything else it says.</param>
internal sealed record Span(string Resource, string Name, string TraceId, string SpanId, string ParentId, IReadOnlyDictionary<string, string> Attributes);
