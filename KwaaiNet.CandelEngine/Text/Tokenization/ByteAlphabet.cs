using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>GPT-2's way to write any byte as a visible character: a printable Latin-1 byte stands for itself, the others for U+0100 and on, in order.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = MakeCharacters();
    private static readonly Dictionary<char, byte> s_bytes = MakeBytes();

    /// <summary>The character a byte is written as.</summary>
    public static char ToCharacter(byte value) => s_characters[value];

    /// <summary>The byte that a character of this alphabet stands for.</summary>
    public static byte ToByte(char character) => s_bytes[character];

    /// <summary>The bytes that text of this alphabet stands for; a character outside it stands for its UTF-8.</summary>
    public static byte[] ToBytes(string text)
    {
        List<byte> bytes = new(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.IsBmp && s_bytes.TryGetValue((char)rune.Value, out byte value))
                bytes.Add(value);
            else
                bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
        }

        return [.. bytes];
    }

    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
            characters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : next++;
        return characters;
    }

    private static Dictionary<char, byte> MakeBytes()
    {
        Dictionary<char, byte> bytes = [];
        for (int value = 0; value < 256; value++)
            bytes.Add(s_characters[value], (byte)value);
        return bytes;
    }
}
