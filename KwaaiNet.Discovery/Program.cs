using KwaaiNet.Discovery.Hosting;
using KwaaiNet.Protocol.Transport;

return await NodeProgram.RunAsync(args, DiscoveryHost.Compose);
