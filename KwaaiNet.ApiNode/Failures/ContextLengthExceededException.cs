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
        => Param = ParamOf(context, prompt, completion);

    private ContextLengthExceededException(string message, string param)
        : base(message) => Param = param;

    /// <summary>The model could hold the conversation, and no shard nodes there are ever could.</summary>
    /// <param name="model">The model's id.</param>
    /// <param name="most">Tokens that a chain of its nodes holds when nobody else uses it.</param>
    /// <param name="prompt">Tokens of the prompt, template included.</param>
    /// <param name="completion">Tokens the request wants generated; null when it does not say.</param>
    public static ContextLengthExceededException OfNetwork(string model, int most, int prompt, int? completion) => new(
        $"The shard nodes of the model '{model}' have memory for conversations of at most {most} tokens. However, "
        + (completion is int wanted
            ? $"you requested {(long)prompt + wanted} tokens ({prompt} in the messages, {wanted} in the completion). Please reduce the length of the messages or completion."
            : $"your messages resulted in {prompt} tokens, which leaves no room for an answer. Please reduce the length of the messages."),
        ParamOf(most, prompt, completion));

    /// <inheritdoc/>
    public override int Status => StatusCodes.Status400BadRequest;

    /// <inheritdoc/>
    public override string Code => "context_length_exceeded";

    /// <inheritdoc/>
    public override string Param { get; }

    private static string ParamOf(int most, int prompt, int? completion) => completion is not null && prompt < most ? "max_tokens" : "messages";
}
