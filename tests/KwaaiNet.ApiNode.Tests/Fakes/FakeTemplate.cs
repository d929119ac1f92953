using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>Writes <c>role:content;</c> for every turn, and refuses a conversation that says "refuse me".</summary>
internal sealed class FakeTemplate : ChatTemplate
{
    /// <summary>What is written whatever the conversation says.</summary>
    public string? Always { get; init; }

    /// <summary>Whether the template begins with BOS itself.</summary>
    public bool WritesBos { get; init; }

    /// <summary>A role whose messages are left out.</summary>
    public string? Drops { get; init; }

    public override string Source => "fake";

    public override string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) =>
        turns.Any(turn => turn.Content == "refuse me")
            ? throw new ChatTemplateException("Roles must alternate")
            : Always ?? string.Concat(turns.Where(turn => turn.Role != Drops).Select(turn => $"{turn.Role}:{turn.Content};"));

    public override int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) =>
        tokenizer.Encode(Render(turns, addGenerationPrompt));

    public override int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options) =>
    [
        .. WritesBos ? [FakeTokenizer.Bos] : Array.Empty<int>(),
        .. tokenizer.Encode(Render(turns, options.AddGenerationPrompt) + string.Concat(options.Variables.Select(variable => $"{variable.Key}={variable.Value};"))),
    ];
}
