using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Hosting;

return await NodeProgram.RunAsync(args, ShardHost.Build);
