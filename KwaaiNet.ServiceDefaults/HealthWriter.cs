using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ServiceDefaults;

/// <summary>What a health endpoint answers: <c>Healthy</c>, or the status and, a line each, which check says what.</summary>
internal static class HealthWriter
{
    /// <summary>Writes a report as text.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        StringBuilder text = new(report.Status.ToString());
        foreach ((string name, HealthReportEntry entry) in report.Entries)
        {
            if (entry.Status != HealthStatus.Healthy && entry.Description is { Length: > 0 } why)
                text.Append('\n').Append(name).Append(": ").Append(why.ReplaceLineEndings(" "));
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text.ToString());
    }
}
