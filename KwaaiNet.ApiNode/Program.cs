using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.Protocol.Transport;

return await NodeProgram.RunAsync(args, ApiNodeHost.Build);
