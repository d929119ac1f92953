namespace KwaaiNet.ApiNode.Chat;

/// <summary>Names in <c>AdditionalProperties</c> of chat options and answers.</summary>
internal static class ChatProperties
{
    /// <summary>Options: the least <see cref="Protocol.Trust.TrustTier"/> of every node of the chain.</summary>
    public const string TrustTier = "kwaainet_trust_tier";

    /// <summary>Options: whose pages in the shards' KV cache a request may find again: those of requests with the same text. Left out: of all that name none.</summary>
    public const string CacheScope = "kwaainet_cache_scope";

    /// <summary>Options: a number added to the logits of single tokens, by id; <c>IReadOnlyDictionary&lt;int, float&gt;</c>.</summary>
    public const string LogitBias = "logit_bias";

    /// <summary>Options: whether log probabilities are wanted, a boolean. Answers and updates: a list of <see cref="OpenAIJson.LogprobContent"/>.</summary>
    public const string Logprobs = "logprobs";

    /// <summary>Options: how many of the most likely tokens come with each one.</summary>
    public const string TopLogprobs = "top_logprobs";

    /// <summary>Options: see <see cref="CandelEngine.Sampling.SamplingParameters.MinP"/>.</summary>
    public const string MinP = "min_p";

    /// <summary>Options: see <see cref="CandelEngine.Sampling.SamplingParameters.TypicalP"/>.</summary>
    public const string TypicalP = "typical_p";

    /// <summary>Options: the repetition penalty as vLLM and transformers name it; looks at all tokens unless told otherwise.</summary>
    public const string RepetitionPenalty = "repetition_penalty";

    /// <summary>Options: the repetition penalty as llama.cpp and Ollama name it; looks at the last 64 tokens unless told otherwise.</summary>
    public const string RepeatPenalty = "repeat_penalty";

    /// <summary>Options: see <see cref="CandelEngine.Sampling.SamplingParameters.RepeatLastN"/>.</summary>
    public const string RepeatLastN = "repeat_last_n";

    /// <summary>Options: variables of the model's chat template, such as <c>enable_thinking</c>, as vLLM and llama.cpp name them; a JSON object.</summary>
    public const string TemplateVariables = "chat_template_kwargs";

    /// <summary>Answers: a name of the weights that gave them.</summary>
    public const string Fingerprint = "system_fingerprint";
}
