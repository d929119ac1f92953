namespace KwaaiNet.Fuzz.Campaigns;

/// <summary>Runs a campaign on a thread of its own and watches that no input takes too long.</summary>
internal static class WatchedCampaign
{
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(100);

    // A parser that recurses must do with what a thread of a host has.
    private const int StackBytes = 1 << 20;

    /// <summary>Runs until so many inputs are read, a rule is broken, or time is over.</summary>
    /// <param name="campaign">The campaign.</param>
    /// <param name="seed">Its seed.</param>
    /// <param name="inputs">How many inputs at most.</param>
    /// <param name="heavy">Whether to read the inputs first that are after time and memory.</param>
    /// <param name="duration">How long at most.</param>
    /// <param name="inputLimit">How long one input, read twice, may take. A thread that hangs is left behind.</param>
    /// <param name="progress">Told now and then; null for nobody.</param>
    /// <returns>The failure, or null.</returns>
    public static FuzzFailure? Run(Campaign campaign, ulong seed, long inputs, bool heavy, TimeSpan duration, TimeSpan inputLimit, Action<Campaign>? progress = null)
    {
        using CancellationTokenSource over = new(duration);
        FuzzFailure? failure = null;
        Thread thread = new(() => failure = campaign.Run(inputs, heavy, over.Token), StackBytes) { IsBackground = true, Name = $"fuzz {campaign.Target}" };
        thread.Start();
        while (!thread.Join(s_glance))
        {
            progress?.Invoke(campaign);
            if (campaign.Current is { } current && current.Taken > inputLimit)
                return new FuzzFailure(campaign.Target, seed, campaign.Done, current.Input, $"no end after {current.Taken.TotalSeconds:F0} s");
        }

        progress?.Invoke(campaign);
        return failure;
    }
}
