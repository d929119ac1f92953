namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>How an architecture departs from the plain Llama block: which tensors it has besides, and what its metadata says besides.</summary>
/// <param name="Name">The name in <c>general.architecture</c>, and the prefix of its keys.</param>
internal sealed record Architecture(string Name)
{
    /// <summary>What every block of it has; loading names the one that is missing.</summary>
    public BlockParts Required { get; init; }

    /// <summary>What its blocks may have as well. Any other tensor is refused by name.</summary>
    public BlockParts Optional { get; init; }

    /// <summary>Added under the root in RMSNorm when a file does not say; null where every file must.</summary>
    public float? DefaultEpsilon { get; init; }

    /// <summary>Adds what is the architecture's own to the dimensions that all have in common.</summary>
    public Func<ShapeReader, ModelShape, ModelShape> Complete { get; init; } = (_, shape) => shape;

    /// <summary>Whether a model of it may have the part.</summary>
    public bool Allows(BlockParts part) => ((Required | Optional) & part) != 0;
}
