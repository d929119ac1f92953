using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ModelStore;

/// <summary>Where models come from, where they are kept, and how patient a download is. Configuration section <c>ModelStore</c>.</summary>
public sealed class ModelStoreOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "ModelStore";

    /// <summary>Default for <see cref="Registry"/>.</summary>
    public const string DefaultRegistry = "https://registry.ollama.ai";

    /// <summary>Default for <see cref="HuggingFace"/>.</summary>
    public const string DefaultHuggingFace = "https://huggingface.co";

    /// <summary>The registry of names such as <c>llama3.1:8b</c>: it speaks Ollama's manifest and blob protocol.</summary>
    [Url(ErrorMessage = "ModelStore:Registry must be an http or https address.")]
    public string Registry { get; set; } = DefaultRegistry;

    /// <summary>The hub of <c>hf:owner/repo/…</c>. <c>HF_ENDPOINT</c> sets it too.</summary>
    [Url(ErrorMessage = "ModelStore:HuggingFace must be an http or https address.")]
    public string HuggingFace { get; set; } = DefaultHuggingFace;

    /// <summary>An access token for repositories that ask for one; sent to <see cref="HuggingFace"/>'s host and nowhere else. <c>HF_TOKEN</c> sets it too.</summary>
    public string? HuggingFaceToken { get; set; }

    /// <summary>The folder models are kept in: a catalog's folder. Default: <c>models</c> in <c>KWAAINET_HOME</c>, or in <c>~/.kwaainet</c>.</summary>
    [Required]
    public string Folder { get; set; } = DefaultFolder();

    /// <summary>How often a request is tried again without a byte of progress before the pull gives up. Default 8.</summary>
    [Range(0, 1000)]
    public int Retries { get; set; } = 8;

    /// <summary>The first pause before another try, in milliseconds; each further one is longer, up to <see cref="LongestPauseSeconds"/>. Default 500.</summary>
    [Range(0, 60_000)]
    public int FirstPauseMilliseconds { get; set; } = 500;

    /// <summary>The longest pause before another try, and the longest wait a server may ask for, in seconds. Default 60.</summary>
    [Range(0, 3600)]
    public double LongestPauseSeconds { get; set; } = 60;

    /// <summary>How long a connection may bring nothing before it counts as cut, in seconds. Default 60.</summary>
    [Range(0.05, 3600)]
    public double StallSeconds { get; set; } = 60;

    /// <summary>Options from environment variables (<c>ModelStore__Registry</c>, <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c>), for a program without a host.</summary>
    /// <exception cref="ModelStoreException">A value cannot be.</exception>
    public static ModelStoreOptions FromEnvironment()
    {
        ModelStoreOptions options = new();
        new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(Section).Bind(options);
        options.UseHubVariables();
        return options;
    }

    /// <summary>Takes the hub's own environment variables where the section says nothing.</summary>
    public void UseHubVariables()
    {
        if (HuggingFace == DefaultHuggingFace && Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } endpoint) HuggingFace = endpoint;
        if (string.IsNullOrEmpty(HuggingFaceToken) && Environment.GetEnvironmentVariable("HF_TOKEN") is { Length: > 0 } token) HuggingFaceToken = token;
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ModelStoreException">A value cannot be; all wrong ones are named.</exception>
    public void Check()
    {
        ValidateOptionsResult result = new ModelStoreOptionsValidator().Validate(null, this);
        if (result.Failed) throw new ModelStoreException(string.Join(" ", result.Failures), $"correct the section {Section} of the configuration (environment variables {Section}__…).");

        // "http://" and "ftp://host" pass for addresses elsewhere.
        List<string> unusable = [.. new[] { (nameof(Registry), Registry), (nameof(HuggingFace), HuggingFace) }
            .Where(pair => !Uri.TryCreate(pair.Item2, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            .Select(pair => $"'{pair.Item2}' is no http or https address ({Section}:{pair.Item1}, --registry).")];
        if (unusable.Count > 0) throw new ModelStoreException(string.Join(" ", unusable), "write it as in https://registry.example:5000.");
    }

    private static string DefaultFolder()
    {
        string? home = Environment.GetEnvironmentVariable("KWAAINET_HOME");
        return Path.Combine(
            string.IsNullOrWhiteSpace(home) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kwaainet") : home, "models");
    }
}
