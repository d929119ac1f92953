using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Sessions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Configuration;

/// <summary>Finds every mistake of the section at once, so that a bad file is corrected in one go.</summary>
internal sealed class ApiOptionsValidator : IValidateOptions<ApiOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ApiOptions options)
    {
        ValidateOptionsResultBuilder result = new();
        HashSet<string> names = new(StringComparer.Ordinal);
        for (int i = 0; i < options.Models.Count; i++)
        {
            ApiModelOptions model = options.Models[i];
            if (string.IsNullOrWhiteSpace(model.Name))
            {
                result.AddError("A model needs the name clients ask for.", $"Api:Models:{i}:Name");
            }
            else if (!names.Add(model.Name))
            {
                result.AddError($"Two models are named '{model.Name}'.", $"Api:Models:{i}:Name");
            }

            if (string.IsNullOrWhiteSpace(model.Path))
            {
                result.AddError("A model needs the path of its file.", $"Api:Models:{i}:Path");
            }
            else if (!ModelPath.Exists(model.Path))
            {
                result.AddError($"There is no model file, or folder of safetensors with its config.json, at '{model.Path}'.", $"Api:Models:{i}:Path");
            }
        }

        for (int i = 0; i < options.Cors.Origins.Count; i++)
        {
            if (!ApiCorsOptions.IsOrigin(options.Cors.Origins[i]))
            {
                result.AddError(
                    $"'{options.Cors.Origins[i]}' is not an origin; write a scheme and a host, as in https://app.example or http://localhost:5173, or * for all.",
                    $"Api:Cors:Origins:{i}");
            }
        }

        Require(Enum.IsDefined(options.HiddenFormat), "must be F16 or F32", nameof(ApiOptions.HiddenFormat));
        Require(options.MaxTokensDefault is null or > 0, "must be positive, or left out", nameof(ApiOptions.MaxTokensDefault));
        Require(options.MaxRequestBytes is >= 1024 and <= 1 << 30, "must be between 1024 and 1 GiB", nameof(ApiOptions.MaxRequestBytes));
        Require(
            options.PrefillChunk is >= 1 and <= SessionBounds.MaxStepRows, $"must be between 1 and {SessionBounds.MaxStepRows} rows, which is what a shard takes",
            nameof(ApiOptions.PrefillChunk));
        Require(options.MaxChainAttempts is >= 1 and <= 100, "must be between 1 and 100", nameof(ApiOptions.MaxChainAttempts));
        Require(options.KeepAliveSeconds is 0 or (>= 0.1 and <= 3_600), "must be 0.1 to 3,600 seconds, or 0 for none", nameof(ApiOptions.KeepAliveSeconds));
        Require(options.MaxWaitSeconds is >= 0 and <= 86_400, "must be 0 to 86,400 seconds", nameof(ApiOptions.MaxWaitSeconds));
        Require(options.MaxWaiting is >= 1 and <= 1_000_000, "must be between 1 and 1,000,000", nameof(ApiOptions.MaxWaiting));
        RequireSeconds(options.OpenTimeoutSeconds, nameof(ApiOptions.OpenTimeoutSeconds));
        RequireSeconds(options.RouteTimeoutSeconds, nameof(ApiOptions.RouteTimeoutSeconds));
        RequireSeconds(options.StepTimeoutSeconds, nameof(ApiOptions.StepTimeoutSeconds));
        RequireSeconds(options.QuarantineSeconds, nameof(ApiOptions.QuarantineSeconds));
        return result.Build();

        void Require(bool holds, string rule, string property)
        {
            if (!holds)
            {
                result.AddError($"{property} {rule}.", $"Api:{property}");
            }
        }

        void RequireSeconds(double seconds, string property) =>
            Require(seconds is > 0 and <= 86_400, "must be more than 0 and at most 86,400 seconds", property);
    }
}
