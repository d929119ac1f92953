namespace KwaaiNet.AppHost.Registry;

/// <summary>What Redis holds: the nodes' records, in a volume that outlives the container.</summary>
internal sealed class RegistryDataResource(string name) : Resource(name);
