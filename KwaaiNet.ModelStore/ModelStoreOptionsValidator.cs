using Microsoft.Extensions.Options;

namespace KwaaiNet.ModelStore;

/// <summary>Checks each option's own bounds; generated from its annotations.</summary>
[OptionsValidator]
public sealed partial class ModelStoreOptionsValidator : IValidateOptions<ModelStoreOptions>;
