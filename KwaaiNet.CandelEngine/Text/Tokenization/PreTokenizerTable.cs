using System.Text.RegularExpressions;
using static KwaaiNet.CandelEngine.Text.Tokenization.PreTokenizerSteps;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>The word splitters by the names that GGUF files give them (<c>tokenizer.ggml.pre</c>; the names are llama.cpp's).</summary>
/// <remarks>To add one: its expression in <see cref="PreTokenizerPatterns"/>, a generated regex below, a line in <see cref="Find"/>.</remarks>
internal static partial class PreTokenizerTable
{
    private const RegexOptions Options = RegexOptions.CultureInvariant;

    /// <summary>Finds the splitter that a file names.</summary>
    /// <param name="name">The value of <c>tokenizer.ggml.pre</c>.</param>
    /// <returns>Null for a name this engine does not know.</returns>
    public static PreTokenizer? Find(string name) => name switch
    {
        "default" => Make(DefaultSigns(), Gpt2(), Digits(), ThreeDigits()),
        "gpt-2" or "gpt2" or "phi-2" or "mpt" or "olmo" or "jais" or "trillion" or "granite-docling" or "gigachat" or "a.x-4.0" or "mellum" or "modern-bert"
            or "exaone4" or "roberta-bpe" or "jina-es" or "jina-de" or "jina-v1-en" or "jina-v2-es" or "jina-v2-de" or "jina-v2-code" => Make(Gpt2()),
        "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "falcon-h1" or "pixtral" or "midm-2.0" or "lfm2" or "jina-v5-nano" =>
            new PreTokenizer(Matching(Llama3())) { WholeWordsFirst = true, AddBos = true },
        "dbrx" or "smaug-bpe" or "glm4" or "chatglm-bpe" => Make(Llama3()),
        "jais-2" => Make(Jais2()),
        "qwen2" or "deepseek-r1-qwen" or "kormo" or "f2llmv2" or "stablelm2" or "hunyuan" or "solar-open" or "megrez" or "grok-2" => Make(Qwen2()),
        "qwen35" => Make(Qwen35()),
        "minicpm5" => new PreTokenizer(Matching(ThreeNumbers()), Matching(MiniCpm5())) { WholeWordsFirst = true },
        "starcoder" or "smollm" or "refact" or "command-r" or "codeshell" or "exaone" or "minerva-7b" or "mellum2" => Make(Digit(), Gpt2()),
        "falcon" => Make(FalconSigns(), Gpt2(), ThreeDigits()),
        "deepseek-llm" => new PreTokenizer(
            Matching(LineEnd()), Matching(DeepSeekLlmLetters()), Matching(DeepSeekLlmSigns()), PartTrailingSpace, Matching(DeepSeekCoderCjk()), Matching(Digits())),
        "deepseek-coder" => Make(LineEnd(), OptionalSpaceLetters(), OptionalSpacePunctuation(), DeepSeekCoderCjk(), Digit()),
        "deepseek-v3" or "hunyuan-dense" or "joyai-llm" => Make(ThreeNumbers(), DeepSeek3Cjk(), DeepSeek3()),
        "afmoe" => new PreTokenizer(GroupNumbers, Matching(AfmoeAsian()), Matching(DeepSeek3())),
        "youtu" => new PreTokenizer(Matching(YoutuAsian()), Matching(Youtu())) { WholeWordsFirst = true },
        "tekken" => new PreTokenizer(Matching(Tekken())) { WholeWordsFirst = true, AddBos = true },
        "gpt-4o" or "llama4" or "kanana2" or "talkie" or "minimax-m2" => Make(Gpt4o()),
        "granite-embed-multi-97m" => new PreTokenizer(Matching(Gpt4o())) { WholeWordsFirst = true },
        "tiny_aya" or "cohere2moe" => new PreTokenizer(GroupNumbers, Matching(Gpt4o())),
        "kimi-k2" => Make(KimiK2()),
        "superbpe" => new PreTokenizer(GroupNumbers),
        "bailingmoe" or "bailingmoe2" or "llada-moe" => Make(BailingMoe()),
        "seed-coder" => Make(SeedCoder()),
        "exaone-moe" => Make(ExaoneMoe()),
        "bloom" or "poro-chat" or "gpt3-finnish" => Make(Bloom()),
        "viking" => Make(Bloom(), Digit()),
        "chameleon" => new PreTokenizer(
            Matching(Sentinel()), Matching(ChameleonImages()), Matching(ChameleonSpace()), Matching(Digit()), Matching(ChameleonSigns()), Matching(Gpt2())) { AddBos = true },
        "gemma4" or "granite-embed-multi-311m" => new PreTokenizer(Matching(Lines())) { IsRaw = true, AddBos = true },
        "sarvam-moe" => new PreTokenizer(Matching(Lines())) { IsRaw = true },
        _ => null,
    };

    private static PreTokenizer Make(params Regex[] expressions) => new(Array.ConvertAll(expressions, Matching));

    [GeneratedRegex(PreTokenizerPatterns.Gpt2, Options)]
    private static partial Regex Gpt2();

    [GeneratedRegex(PreTokenizerPatterns.Llama3, Options)]
    private static partial Regex Llama3();

    [GeneratedRegex(PreTokenizerPatterns.Qwen2, Options)]
    private static partial Regex Qwen2();

    [GeneratedRegex(PreTokenizerPatterns.Qwen35, Options)]
    private static partial Regex Qwen35();

    [GeneratedRegex(PreTokenizerPatterns.MiniCpm5, Options)]
    private static partial Regex MiniCpm5();

    [GeneratedRegex(PreTokenizerPatterns.SeedCoder, Options)]
    private static partial Regex SeedCoder();

    [GeneratedRegex(PreTokenizerPatterns.BailingMoe, Options)]
    private static partial Regex BailingMoe();

    [GeneratedRegex(PreTokenizerPatterns.ExaoneMoe, Options)]
    private static partial Regex ExaoneMoe();

    [GeneratedRegex(PreTokenizerPatterns.Jais2, Options)]
    private static partial Regex Jais2();

    [GeneratedRegex(PreTokenizerPatterns.Tekken, Options)]
    private static partial Regex Tekken();

    [GeneratedRegex(PreTokenizerPatterns.Gpt4o, Options)]
    private static partial Regex Gpt4o();

    [GeneratedRegex(PreTokenizerPatterns.Youtu, Options)]
    private static partial Regex Youtu();

    [GeneratedRegex(PreTokenizerPatterns.YoutuAsian, Options)]
    private static partial Regex YoutuAsian();

    [GeneratedRegex(PreTokenizerPatterns.KimiK2, Options)]
    private static partial Regex KimiK2();

    [GeneratedRegex(PreTokenizerPatterns.DeepSeek3, Options)]
    private static partial Regex DeepSeek3();

    [GeneratedRegex(PreTokenizerPatterns.DeepSeek3Cjk, Options)]
    private static partial Regex DeepSeek3Cjk();

    [GeneratedRegex(PreTokenizerPatterns.DeepSeekCoderCjk, Options)]
    private static partial Regex DeepSeekCoderCjk();

    [GeneratedRegex(PreTokenizerPatterns.DeepSeekLlmLetters, Options)]
    private static partial Regex DeepSeekLlmLetters();

    [GeneratedRegex(PreTokenizerPatterns.DeepSeekLlmSigns, Options)]
    private static partial Regex DeepSeekLlmSigns();

    [GeneratedRegex(PreTokenizerPatterns.AfmoeAsian, Options)]
    private static partial Regex AfmoeAsian();

    [GeneratedRegex(PreTokenizerPatterns.Bloom, Options)]
    private static partial Regex Bloom();

    [GeneratedRegex(PreTokenizerPatterns.FalconSigns, Options)]
    private static partial Regex FalconSigns();

    [GeneratedRegex(PreTokenizerPatterns.DefaultSigns, Options)]
    private static partial Regex DefaultSigns();

    [GeneratedRegex(PreTokenizerPatterns.ChameleonImages, Options)]
    private static partial Regex ChameleonImages();

    [GeneratedRegex(PreTokenizerPatterns.ChameleonSpace, Options)]
    private static partial Regex ChameleonSpace();

    [GeneratedRegex(PreTokenizerPatterns.ChameleonSigns, Options)]
    private static partial Regex ChameleonSigns();

    [GeneratedRegex("<sentinel:[0-9]+>", Options)]
    private static partial Regex Sentinel();

    [GeneratedRegex(@"\p{N}", Options)]
    private static partial Regex Digit();

    [GeneratedRegex(@"\p{N}+", Options)]
    private static partial Regex Digits();

    [GeneratedRegex(@"\p{N}{1,3}", Options)]
    private static partial Regex ThreeNumbers();

    [GeneratedRegex("[0-9][0-9][0-9]", Options)]
    private static partial Regex ThreeDigits();

    [GeneratedRegex(@"[\r\n]", Options)]
    private static partial Regex LineEnd();

    [GeneratedRegex(@"[^\n]+|\n+", Options)]
    private static partial Regex Lines();

    [GeneratedRegex(@"\s?\p{L}+", Options)]
    private static partial Regex OptionalSpaceLetters();

    [GeneratedRegex(@"\s?\p{P}+", Options)]
    private static partial Regex OptionalSpacePunctuation();
}
