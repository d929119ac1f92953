using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.ServiceDefaults.Hosting;

return await NodeProgram.RunAsync(args, ApiNodeHost.Build);
