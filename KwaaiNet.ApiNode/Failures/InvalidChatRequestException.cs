namespace KwaaiNet.ApiNode.Failures;

/// <summary>A field of the request is wrong, or asks for what is not done here.</summary>
/// <param name="param">The field, as OpenAI writes it: <c>messages[1].role</c>.</param>
/// <param name="message">What is wrong and what would be right.</param>
/// <param name="code">What a program reads; null where OpenAI gives none.</param>
/// <param name="status">400 unless the body as a whole is at fault.</param>
/// <param name="inner">What could not cope with the field: for the log.</param>
internal sealed class InvalidChatRequestException(
    string? param, string message, string? code = null, int status = StatusCodes.Status400BadRequest, Exception? inner = null)
    : ChatFailureException(message, inner)
{
    /// <summary>The code of fields that would change the answer in a way this server cannot.</summary>
    public const string Unsupported = "unsupported_parameter";

    /// <inheritdoc/>
    public override int Status => status;

    /// <inheritdoc/>
    public override string? Code => code;

    /// <inheritdoc/>
    public override string? Param => param;
}
