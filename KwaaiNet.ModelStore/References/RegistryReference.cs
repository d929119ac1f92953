namespace KwaaiNet.ModelStore.References;

/// <summary>A model in a registry that speaks Ollama's protocol.</summary>
/// <param name="Host">The registry's address where the name gives one; null: the configured one.</param>
/// <param name="Namespace">Whose model it is; <c>library</c> for the registry's own.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Tag">Which of its variants; <c>latest</c> unless given.</param>
public sealed record RegistryReference(string? Host, string Namespace, string Model, string Tag) : ModelReference
{
    /// <inheritdoc/>
    /// <remarks>A catalog looks two folders deep; a host and a namespace share one.</remarks>
    public override string LocalName => (Host, Namespace) switch
    {
        (null, "library") => $"{Model}/{Tag}",
        (null, _) => $"{Namespace}/{Model}/{Tag}",
        _ => $"{new Uri(Host).Authority.Replace(':', '_').Trim('[', ']')}_{Namespace}/{Model}/{Tag}",
    };

    /// <inheritdoc/>
    public override string ToString() => $"{(Host is null ? "" : Host.Replace("https://", "", StringComparison.Ordinal) + "/")}{(Host is null && Namespace == "library" ? "" : Namespace + "/")}{Model}:{Tag}";
}
