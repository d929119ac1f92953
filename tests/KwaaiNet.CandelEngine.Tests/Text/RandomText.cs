using CsCheck;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Text of all kinds: any script and plane, white space, what looks like control tokens, words.</summary>
internal static class RandomText
{
    private static readonly string[] s_pieces =
    [
        " ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", "\u00A0", "\u3000", "'ll", "'S", "don't", "Hello", " world", "hello", "WORLD", "HelloWorld", "123", "4567890", " 3.14", "=", "!!!",
        " ...", "(){}[]", "<s>", "</s>", "<|im_end|>", "<0x41>", "[PAD]", "<pad>", "é", "e\u0301", "ñandú", "Привет", " мир", "你好", "世界。", "こんにちは", "カタカナ", "안녕", "ไทย", "हिन्दी", "مرحبا",
        "😀", "👨‍👩‍👧", "🏳️‍🌈", "𝐀𝐛", "𠀀", "Ⅷ", "²", "½", "٣", "ǅ", "ª", "\u200B", "\uFEFF", "_", "-", "/", "\\", "\u0000", "\u001B", "\uFFFD", "\uE000",
    ];

    /// <summary>Strings without lone surrogates, and without the planes 4 to 13, in which Unicode has no characters and some vocabularies no tokens.</summary>
    public static Gen<string> Gen { get; } = CsCheck.Gen.Frequency(
        (3, CsCheck.Gen.Int[0, s_pieces.Length - 1].Select(i => s_pieces[i])),
        (2, CsCheck.Gen.Int[0x20, 0x7E].Select(c => ((char)c).ToString())),
        (1, CsCheck.Gen.Int[0, 0xD7FF].Select(c => ((char)c).ToString())),
        (1, CsCheck.Gen.Int[0xE000, 0xFFFF].Select(c => ((char)c).ToString())),
        (1, CsCheck.Gen.Int[0x10000, 0x3FFFF].Select(char.ConvertFromUtf32)),
        (1, CsCheck.Gen.Int[0xE0000, 0x10FFFF].Select(char.ConvertFromUtf32))).Array[0, 20].Select(string.Concat);
}
