using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Configuration;

/// <summary>Checks each option's own bounds; generated from its annotations.</summary>
[OptionsValidator]
internal sealed partial class ShardOptionsAnnotations : IValidateOptions<ShardOptions>;
