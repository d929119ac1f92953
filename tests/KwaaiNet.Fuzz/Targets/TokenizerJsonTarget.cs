using KwaaiNet.CandelEngine.Text.HuggingFace;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary><c>tokenizer.json</c>: the tokenizer made of one, text to ids and back.</summary>
internal sealed class TokenizerJsonTarget : IFuzzTarget
{
    /// <summary>Up to 2^14 ids may stand without a token; expressions are compiled.</summary>
    private const long Constant = 3_000_000;

    /// <summary>A token of one letter is some eight bytes of JSON; as a string, in the tables by text and by id, it is some two hundred.</summary>
    private const int PerByte = 64;

    public string Name => "tokenizer-json";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = TokenizerJsonSeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = TokenizerJsonSeeds.Words();

    public void Run(FuzzCase input)
    {
        HuggingFaceTokenizer? tokenizer = null;
        if (input.Stage("open", PerByte, Constant, () => tokenizer = HuggingFaceTokenizer.Read("fuzz.json", input.Input)))
            input.Stage("encode", PerByte, Constant, () => TokenizerTarget.Use(input, tokenizer!));
    }
}
