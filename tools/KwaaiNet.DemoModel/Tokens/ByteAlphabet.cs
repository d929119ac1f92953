namespace KwaaiNet.DemoModel.Tokens;

/// <summary>GPT-2's way to write any byte as a printable character: printable Latin-1 stands for itself, the rest is moved up from U+0100.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = MakeCharacters();

    public static char Of(byte value) => s_characters[value];

    public static string Of(ReadOnlySpan<byte> bytes)
    {
        char[] characters = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
            characters[i] = s_characters[bytes[i]];
        return new string(characters);
    }

    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        int moved = 0;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(printable ? value : 0x100 + moved++);
        }

        return characters;
    }
}
