namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>What the files beside a <c>tokenizer.json</c> say about its tokens; the default for nothing.</summary>
internal sealed record TokenizerNotes
{
    /// <summary>Text of the beginning-of-sequence token.</summary>
    public string? Bos { get; init; }

    /// <summary>Text of the end-of-sequence token.</summary>
    public string? Eos { get; init; }

    /// <summary>Whether a prompt starts with <see cref="Bos"/>; null when it is left to the <c>post_processor</c>.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Ids at which generation ends, besides <see cref="Eos"/>.</summary>
    public IReadOnlyList<int> EndIds { get; init; } = [];

    /// <summary>The chat template's source.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>The name of the file that has it.</summary>
    public string? ChatTemplateFile { get; init; }
}
