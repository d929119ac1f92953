namespace KwaaiNet.Cli.Api;

/// <summary>A model as <c>GET /v1/models</c> lists it.</summary>
internal sealed record ApiModel(string Id, string? OwnedBy, ApiModelTraits? Kwaainet);

/// <summary>KwaaiNet's own part of a model's entry.</summary>
internal sealed record ApiModelTraits(bool Sharded, string? TrustTier);

/// <summary>The list around the entries.</summary>
internal sealed record ApiModelList(IReadOnlyList<ApiModel>? Data);
