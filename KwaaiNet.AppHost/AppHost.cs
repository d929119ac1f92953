using System.Globalization;
using Microsoft.Extensions.Configuration;

// A developer's network under Aspire: registry → discovery → N shards → API node, with logs, traces and metrics in the dashboard.
//
//   Shards                        how many shard nodes; default 3
//   Discovery:Backend             redis (a container, or ConnectionStrings:registry) or embedded (no container in the model)
//   Model:Name, Model:Path        another model than the demo model

const int DefaultShards = 3;
const int ApiPort = 11435;
const string Health = "/health";
const string Http = "http";
const string Grpc = "grpc";

IDistributedApplicationBuilder builder = DistributedApplication.CreateBuilder(args);
int shards = builder.Configuration.GetValue("Shards", DefaultShards);
string backend = builder.Configuration["Discovery:Backend"] ?? "redis";
string modelName = builder.Configuration["Model:Name"] ?? "kwaai-demo";
string modelPath = Path.GetFullPath(builder.Configuration["Model:Path"] ?? Path.Combine("..", "models", "kwaai-demo.gguf"), builder.AppHostDirectory);

// The hosts have no launch settings: their ports are Node:HttpPort and Node:GrpcPort, and Aspire names them through the environment.
IResourceBuilder<ProjectResource> discovery = builder.AddProject<Projects.KwaaiNet_Discovery>("discovery", launchProfileName: null)
    .WithEnvironment("Node__Name", "discovery")
    .WithEnvironment("Discovery__Backend", backend)
    // Health is asked over HTTP/1; the gRPC port speaks HTTP/2 alone, with the nodes' own certificates, which Aspire's proxy passes through unread.
    .WithHttpEndpoint(env: "Node__HttpPort", name: Http)
    .WithEndpoint(scheme: "https", env: "Node__GrpcPort", name: Grpc)
    .WithHttpHealthCheck(Health, endpointName: Http)
    .WithUrlForEndpoint(Http, url => { url.Url = "/network"; });

if (backend == "redis")
{
    // A configured connection string means "use the Redis that runs already": then no container enters the model and no Docker is needed.
    IResourceBuilder<IResourceWithConnectionString> registry = builder.Configuration.GetConnectionString("registry") is null
        ? builder.AddRedis("registry")
        : builder.AddConnectionString("registry");
    discovery.WithReference(registry).WaitFor(registry);
}

IResourceBuilder<ProjectResource> api = builder.AddProject<Projects.KwaaiNet_ApiNode>("api", launchProfileName: null)
    .WithEnvironment("Node__Name", "api")
    .WithEnvironment("Node__Discovery", discovery.GetEndpoint(Grpc))
    .WithEnvironment("Api__Models__0__Name", modelName)
    .WithEnvironment("Api__Models__0__Path", modelPath)
    .WithHttpEndpoint(port: ApiPort, env: "Node__HttpPort", name: Http)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck(Health, endpointName: Http)
    .WithReference(discovery)
    .WaitFor(discovery);

// Named resources and not replicas: each shard serves blocks of its own, and is stopped and started by its own name.
for (int number = 1; number <= shards; number++)
{
    string name = "shard-" + number.ToString(CultureInfo.InvariantCulture);
    IResourceBuilder<ProjectResource> shard = builder.AddProject<Projects.KwaaiNet_ShardNode>(name, launchProfileName: null)
        .WithEnvironment("Node__Name", name)
        .WithEnvironment("Node__Discovery", discovery.GetEndpoint(Grpc))
        // Found through discovery, never through Aspire: the system may choose the port, and no proxy stands between two nodes.
        .WithEnvironment("Node__GrpcPort", "0")
        .WithEnvironment("Shard__Model", modelName)
        .WithEnvironment("Shard__ModelPath", modelPath)
        .WithEnvironment("Shard__ExpectedShards", shards.ToString(CultureInfo.InvariantCulture))
        .WithHttpEndpoint(env: "Node__HttpPort", name: Http)
        .WithHttpHealthCheck(Health, endpointName: Http)
        .WithUrlForEndpoint(Http, url => { url.Url = "/status"; })
        .WithReference(discovery)
        .WaitFor(discovery);
    api.WaitFor(shard);
}

builder.Build().Run();
