using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace KwaaiNet.AppHost.Settings;

/// <summary>What a network is made of, as configuration says it when the AppHost starts.</summary>
/// <param name="ModelName">The name the model is asked for by.</param>
/// <param name="ModelPath">Its file, or folder of safetensors; absolute.</param>
/// <param name="Shards">Into how many ranges the model's blocks are cut.</param>
/// <param name="Replicas">How many shard nodes hold each range.</param>
/// <param name="CaptureContent">Whether prompts and answers are written into traces.</param>
internal sealed record NetworkParameters(string ModelName, string ModelPath, int Shards, int Replicas, bool CaptureContent)
{
    private const int DefaultShards = 3;
    private const int DefaultReplicas = 1;
    private const int Most = 64;
    private const string DefaultModel = "../models/kwaai-demo.gguf";

    /// <summary>Shard nodes that start with the network.</summary>
    public int Nodes => Shards * Replicas;

    /// <summary>Reads <c>Parameters:*</c>, and the keys that were there before them.</summary>
    /// <param name="configuration">The AppHost's configuration.</param>
    /// <param name="folder">What a relative path of a model starts from.</param>
    /// <param name="parameters">What was read.</param>
    /// <param name="error">What is wrong, and what to do.</param>
    public static bool TryRead(
        IConfiguration configuration, string folder, [NotNullWhen(true)] out NetworkParameters? parameters, [NotNullWhen(false)] out string? error)
    {
        parameters = null;
        if (!TryCount(configuration, "shards", DefaultShards, out int shards, out error)
            || !TryCount(configuration, "replicas", DefaultReplicas, out int replicas, out error))
        {
            return false;
        }

        if (shards * replicas > Most)
        {
            error = $"{shards} shards of {replicas} replicas are {shards * replicas} processes; this AppHost starts {Most} at most. Set Parameters:shards or Parameters:replicas lower.";
            return false;
        }

        string path = Path.GetFullPath(configuration["Parameters:model"] ?? configuration["Model:Path"] ?? DefaultModel, folder);
        if (!Path.Exists(path))
        {
            error = $"There is no model at '{path}'. Set Parameters:model to a .gguf file or a folder of safetensors, or leave it out.";
            return false;
        }

        string capture = configuration["Parameters:capture-content"] ?? "false";
        if (!bool.TryParse(capture, out bool captures))
        {
            error = $"Parameters:capture-content cannot be '{capture}'. Set it to true or false.";
            return false;
        }

        string name = configuration["Model:Name"] ?? Path.GetFileNameWithoutExtension(path);
        parameters = new NetworkParameters(name, path, shards, replicas, captures);
        return true;
    }

    /// <summary>Shows the parameters in the dashboard. What is set there is kept among the user's secrets and read at the next start.</summary>
    public void AddTo(IDistributedApplicationBuilder builder)
    {
        Add("model", ModelPath, "The model served: a .gguf file or a folder of safetensors. Read when the AppHost starts.");
        Add("shards", Text(Shards), "Into how many ranges the model's blocks are cut; each is held by a shard node. Read when the AppHost starts.");
        Add("replicas", Text(Replicas), "How many shard nodes hold each range: with two, any one may die in the middle of an answer. Read when the AppHost starts.");
        Add(
            "capture-content", CaptureContent ? "true" : "false",
            "Whether what people ask and what they are told is written into the traces, where everybody who sees this dashboard reads it. Read when the AppHost starts.");

        void Add(string name, string value, string description) =>
            builder.AddParameter(name, value, publishValueAsDefault: true).WithDescription(description);
    }

    private static bool TryCount(IConfiguration configuration, string name, int otherwise, out int count, [NotNullWhen(false)] out string? error)
    {
        error = null;
        count = otherwise;
        string? text = configuration[$"Parameters:{name}"] ?? configuration[name];
        if (text is null || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is >= 1 and <= Most)) return true;

        error = $"Parameters:{name} cannot be '{text}'. Set it to a number from 1 to {Most}.";
        return false;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
