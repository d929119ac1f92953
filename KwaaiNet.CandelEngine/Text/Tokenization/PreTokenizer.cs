namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Splits text into words, which byte-level BPE then merges inside of, never across.</summary>
/// <remarks>
/// A list of steps, one after another: each splits every piece into what it looks for and what lies between.
/// The steps are the ones the tokenizers were trained with; GGUF names them by <c>tokenizer.ggml.pre</c>.
/// </remarks>
/// <param name="steps">The steps, first to last.</param>
internal sealed class PreTokenizer(params PreTokenizer.Step[] steps)
{
    /// <summary>Splits one piece: adds where each part of it ends, offset by where the piece starts; the last end is the piece's own.</summary>
    public delegate void Step(ReadOnlySpan<char> piece, int offset, List<int> ends);

    /// <summary>Whether a word that is a token stays one, whatever the merges say.</summary>
    public bool WholeWordsFirst { get; init; }

    /// <summary>Whether a prompt starts with BOS where the file does not say.</summary>
    public bool AddBos { get; init; }

    /// <summary>Whether symbols are characters, with U+2581 for a space and byte tokens for what no token spells, rather than bytes in GPT-2's alphabet.</summary>
    public bool IsRaw { get; init; }

    /// <summary>Splits <paramref name="text"/> into consecutive words.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="ends">Receives where each word ends.</param>
    public void Split(ReadOnlySpan<char> text, List<int> ends)
    {
        CategoryText view = new(text);
        List<int> pieces = [view.Characters.Length];
        List<int> finer = [];
        foreach (Step step in steps)
        {
            finer.Clear();
            int start = 0;
            foreach (int end in pieces)
            {
                step(view.Characters[start..end], start, finer);
                start = end;
            }

            (pieces, finer) = (finer, pieces);
        }

        foreach (int end in pieces)
            ends.Add(view.StartOf(end));
    }
}
