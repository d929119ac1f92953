namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>Waits for what no event tells of, by asking again and again, with a limit.</summary>
internal static class Eventually
{
    /// <summary>Generous: these tests also have to pass on a machine that does ten other things.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks until the answer is there.</summary>
    /// <param name="ask">Null: not yet.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="seen">Says what there is instead, when it has not come.</param>
    public static async Task<T> SomethingAsync<T>(Func<CancellationToken, Task<T?>> ask, string what, Func<string>? seen = null)
        where T : class
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using PeriodicTimer timer = new(s_step);
        try
        {
            do
            {
                if (await ask(limit.Token) is { } answer) return answer;
            }
            while (await timer.WaitForNextTickAsync(limit.Token));
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Said below, by name.
        }

        throw new TimeoutException($"Not within {Limit}: {what}.{(seen is null ? "" : $" Instead: {seen()}")}");
    }

    /// <summary>Asks until it is so.</summary>
    public static Task TrueAsync(Func<CancellationToken, Task<bool>> ask, string what, Func<string>? seen = null) =>
        SomethingAsync(async cancellationToken => await ask(cancellationToken) ? what : null, what, seen);
}
