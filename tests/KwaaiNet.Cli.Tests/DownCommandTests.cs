using KwaaiNet.Cli.Commands;

namespace KwaaiNet.Cli.Tests;

public sealed class DownCommandTests
{
    [Fact]
    public void Down_waits_for_no_more_than_fifteen_seconds_whatever_the_network_does() =>
        Assert.InRange(DownCommand.LongestWait, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));
}
