using KwaaiNet.AppHost.Composition;
using KwaaiNet.AppHost.Registry;
using KwaaiNet.AppHost.Settings;
using Microsoft.Extensions.Configuration;

// A developer's network under Aspire: registry → discovery → shards → API node, with logs, traces and metrics in the dashboard (docs/aspire.md).
//
//   Parameters:model              a .gguf file or a folder of safetensors; default: the demo model (Model:Path; Model:Name says what it is asked for by)
//   Parameters:shards             into how many ranges its blocks are cut; default 3 (Shards)
//   Parameters:replicas           how many nodes hold each range; default 1 (Replicas)
//   Parameters:capture-content    whether prompts and answers are written into the traces; default false
//   Discovery:Backend             redis (a container, or ConnectionStrings:registry) or embedded (no container in the model)
//   Registry:Volume               the volume of that container; none: it keeps nothing
//   Api:Port                      default 11435

const int ApiPort = 11435;
const string Redis = "redis";

IDistributedApplicationBuilder builder = DistributedApplication.CreateBuilder(args);
if (!NetworkParameters.TryRead(builder.Configuration, builder.AppHostDirectory, out NetworkParameters? network, out string? error))
{
    Console.Error.WriteLine($"error: {error}");
    return 2;
}

network.AddTo(builder);
string backend = builder.Configuration["Discovery:Backend"] ?? Redis;

// The hosts have no launch settings: their ports are Node:HttpPort and Node:GrpcPort, and Aspire names them through the environment.
IResourceBuilder<ProjectResource> discovery = builder.AddProject<Projects.KwaaiNet_Discovery>(ResourceNames.Discovery, launchProfileName: null)
    .WithEnvironment("Node__Name", ResourceNames.Discovery)
    .WithEnvironment("Discovery__Backend", backend)
    // Health is asked over HTTP/1; the gRPC port speaks HTTP/2 alone, with the nodes' own certificates, which Aspire's proxy passes through unread.
    .WithHttpEndpoint(env: "Node__HttpPort", name: ResourceNames.Http)
    .WithEndpoint(scheme: "https", env: "Node__GrpcPort", name: ResourceNames.Grpc)
    .WithHttpHealthCheck(ResourceNames.Health, endpointName: ResourceNames.Http)
    .WithUrlForEndpoint(ResourceNames.Http, url =>
    {
        url.Url = "/network";
        url.DisplayText = "Map";
    })
    .WithUrlForEndpoint(ResourceNames.Grpc, url => url.DisplayLocation = UrlDisplayLocation.DetailsOnly)
    .WithIconName("Organization");

if (backend == Redis) builder.AddRegistry(discovery);

// Waits for no shard: it is unhealthy until every block is served, and says which are missing.
EndpointReference map = discovery.GetEndpoint(ResourceNames.Http);
IResourceBuilder<ProjectResource> api = builder.AddProject<Projects.KwaaiNet_ApiNode>(ResourceNames.Api, launchProfileName: null)
    .WithEnvironment("Node__Name", ResourceNames.Api)
    .WithEnvironment("Node__Discovery", discovery.GetEndpoint(ResourceNames.Grpc))
    .WithEnvironment("Api__Models__0__Name", network.ModelName)
    .WithEnvironment("Api__Models__0__Path", network.ModelPath)
    // The standard variable of GenAI telemetry; what the API node would write into its spans is what people wrote.
    .WithEnvironment("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", network.CaptureContent ? "true" : "false")
    .WithHttpEndpoint(port: builder.Configuration.GetValue("Api:Port", ApiPort), env: "Node__HttpPort", name: ResourceNames.Http)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck(ResourceNames.Health, endpointName: ResourceNames.Http)
    .WithUrlForEndpoint(ResourceNames.Http, url => url.DisplayText = "Chat page")
    .WithUrlForEndpoint(ResourceNames.Http, _ => new ResourceUrlAnnotation { Url = "/v1/models", DisplayText = "Models" })
    .WithUrl(ReferenceExpression.Create($"{map}/network"), "Map")
    .WithIconName("ChatMultiple")
    .WithReference(discovery)
    .WaitFor(discovery);

builder.AddShards(network, discovery, api);
builder.Build().Run();
return 0;
