using KwaaiNet.Protocol.Transport;
using KwaaiNet.ShardNode.Hosting;

return await NodeProgram.RunAsync(args, ShardHost.Build);
