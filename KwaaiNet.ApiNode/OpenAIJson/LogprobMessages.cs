namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>The log probabilities of a choice: <c>{"content":[{"token":…,"logprob":…,"bytes":[…],"top_logprobs":[…]}],"refusal":null}</c>.</summary>
internal sealed record CompletionLogprobs(IReadOnlyList<LogprobContent> Content)
{
    /// <summary>Always null: models here do not refuse in a field of its own.</summary>
    public object? Refusal => null;
}

/// <summary>One token of the answer.</summary>
/// <param name="Token">Its text; bytes that are not UTF-8 by themselves are U+FFFD.</param>
/// <param name="Logprob">Natural logarithm of its probability, -9999 at least.</param>
/// <param name="Bytes">Its bytes; null when it has none.</param>
/// <param name="TopLogprobs">The most likely tokens at its place, best first.</param>
internal sealed record LogprobContent(string Token, float Logprob, IReadOnlyList<int>? Bytes, IReadOnlyList<LogprobAlternative> TopLogprobs);

/// <summary>One of the most likely tokens at a place.</summary>
internal sealed record LogprobAlternative(string Token, float Logprob, IReadOnlyList<int>? Bytes);
