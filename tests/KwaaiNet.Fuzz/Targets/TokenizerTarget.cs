using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Templates;
using KwaaiNet.CandelEngine.Text.Tokenization;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>Vocabularies in GGUF files: the tokenizer made of one, text to ids and back; and the file's chat template over it.</summary>
internal sealed class TokenizerTarget : IFuzzTarget
{
    private const long Constant = 200_000;

    // Text kinds that tokenizers treat apart: spaces, digits, letters beyond ASCII and beyond 16 bits, control tokens in a user's words, a broken pair.
    private const string Text = "Hello world  <s>\n\t 12345 \u00e4\u0301 \ud83d\ude00\u4f60 <|im_end|>he'll \ud800x";

    public string Name => "tokenizer";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = VocabularySeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = GgufSeeds.Words();

    public void Run(FuzzCase input)
    {
        using NativeInput native = new(input.Input);
        GgufFile? file = null;
        if (!input.Stage("open", 2, GgufLimits.Besides(input.Input), () => file = GgufFile.Open(native.Map(), "fuzz.gguf")))
            return;
        using (file)
        {
            // A token of one letter is 9 bytes in the file; as a string, in the tables by text and by id, it is some two hundred.
            ITokenizer? tokenizer = null;
            if (input.Stage("tokenizer", 64, Constant, () => tokenizer = GgufTokenizer.Create(file!.Metadata)))
                input.Stage("encode", 64, Constant, () => Use(input, tokenizer!));
            ChatTemplate? template = null;
            input.Stage("template", 1024, TemplateTarget.RenderLimit, () => template = GgufChatTemplate.Create(file!.Metadata));
            if (template is not null && tokenizer is not null)
                input.Stage("chat", 64, TemplateTarget.RenderLimit, () => input.Note((ulong)template.Encode(tokenizer, [new ChatTurn("user", Text)]).Length));
        }
    }

    /// <summary>What every tokenizer promises, whatever its vocabulary.</summary>
    public static void Use(FuzzCase input, ITokenizer tokenizer)
    {
        foreach (bool parseSpecial in (ReadOnlySpan<bool>)[false, true])
        {
            int[] ids = tokenizer.Encode(Text, parseSpecial);
            foreach (int id in ids)
            {
                input.Require((uint)id < (uint)tokenizer.VocabularySize, "ids are below the vocabulary's size");
                input.Note((ulong)id);
            }

            input.Note(tokenizer.Decode(ids, renderSpecial: parseSpecial));
            StreamingDecoder stream = tokenizer.CreateStreamingDecoder();
            foreach (int id in ids)
            {
                ReadOnlySpan<char> piece = stream.Append(id);
                input.Require(piece.IsEmpty || !char.IsHighSurrogate(piece[^1]), "a stream never ends in half a character");
            }

            input.Note(stream.Flush());
        }

        foreach (int id in (ReadOnlySpan<int>)[0, tokenizer.VocabularySize - 1, tokenizer.VocabularySize, -1, int.MaxValue])
            input.Note((ulong)tokenizer.GetBytes(id, renderSpecial: true).Length);
        foreach (int id in tokenizer.EndOfGenerationIds)
            input.Require((uint)id < (uint)tokenizer.VocabularySize, "generation ends at ids of the vocabulary");
    }
}
