namespace KwaaiNet.ApiNode.Failures;

/// <summary>Prompt and answer together do not fit the model's context.</summary>
internal sealed class ContextLengthExceededException : ChatFailureException
{
    /// <summary>Says so in the words clients know.</summary>
    /// <param name="context">The model's context length.</param>
    /// <param name="prompt">Tokens of the prompt, template included.</param>
    /// <param name="completion">Tokens the request wants generated; null when it does not say.</param>
    public ContextLengthExceededException(int context, int prompt, int? completion)
        : base(completion is int wanted
            ? $"This model's maximum context length is {context} tokens. However, you requested {(long)prompt + wanted} tokens ({prompt} in the messages, {wanted} in the completion). Please reduce the length of the messages or completion."
            : $"This model's maximum context length is {context} tokens. However, your messages resulted in {prompt} tokens, which leaves no room for an answer. Please reduce the length of the messages.")
        => Param = completion is not null && prompt < context ? "max_tokens" : "messages";

    /// <inheritdoc/>
    public override int Status => StatusCodes.Status400BadRequest;

    /// <inheritdoc/>
    public override string Code => "context_length_exceeded";

    /// <inheritdoc/>
    public override string Param { get; }
}
