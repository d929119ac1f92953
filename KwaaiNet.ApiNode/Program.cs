using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.ServiceDefaults;

return await NodeProgram.RunAsync(args, static args =>
{
    WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
    builder.AddApiNodeDefaults().AddNode().AddServiceDefaults().AddApiNode();
    return builder.Build().MapKwaaiNetEndpoints();
});
