using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Conformance;

public sealed class InProcessConformanceTests : ChatClientConformance
{
    private ApiHost? _host;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _host!.DisposeAsync();
    }

    protected override async Task<IChatClient> CreateAsync()
    {
        _host = await ApiHost.StartAsync(FakeNetwork.Of("0-1", "2-3", "4-5"));
        return _host.Chat;
    }
}
