using System.Text.Json;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>What a chat template is given besides the conversation. All text in it counts as somebody's words: it never becomes a control token.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Whether the prompt ends where the assistant's answer begins.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>The tools the model may call, a JSON array in OpenAI's form; null: none. Where a file has a template for tools, this chooses it.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Documents to answer from, a JSON array of objects; null: none.</summary>
    public JsonElement? Documents { get; init; }

    /// <summary>Further variables that the template knows, such as <c>enable_thinking</c>, by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();
}
