using KwaaiNet.Discovery.Hosting;
using KwaaiNet.ServiceDefaults.Hosting;

return await NodeProgram.RunAsync(args, DiscoveryHost.Compose);
