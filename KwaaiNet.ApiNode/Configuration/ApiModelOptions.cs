namespace KwaaiNet.ApiNode.Configuration;

/// <summary>One model the API node serves.</summary>
public sealed class ApiModelOptions
{
    /// <summary>The id clients use, such as <c>llama3.1:8b</c>; shards announce the same name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The model file, or folder of safetensors. It must be the very file the shards hold.</summary>
    public string Path { get; set; } = "";
}
