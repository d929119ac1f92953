namespace KwaaiNet.ApiNode.Failures;

/// <summary>No model of that id is served here.</summary>
/// <param name="model">The id asked for.</param>
internal sealed class UnknownModelException(string model)
    : ChatFailureException($"The model '{model}' does not exist here. GET /v1/models lists the models that do.")
{
    /// <inheritdoc/>
    public override int Status => StatusCodes.Status404NotFound;

    /// <inheritdoc/>
    public override string Code => "model_not_found";

    /// <inheritdoc/>
    public override string Param => "model";
}
