namespace KwaaiNet.ApiNode.Connections;

/// <summary>How connections whose client says no more are looked at.</summary>
internal sealed class HalfClosedOptions
{
    /// <summary>Time from the end of what a client sends to the first interim response, and from one to the next. Most answers are there before.</summary>
    public TimeSpan ProbePeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two looks at whether the connection is broken.</summary>
    public TimeSpan LookPeriod { get; set; } = TimeSpan.FromMilliseconds(250);
}
