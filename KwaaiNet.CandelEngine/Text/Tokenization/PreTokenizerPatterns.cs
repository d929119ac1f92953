namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>The expressions tokenizers split words by, as their <c>tokenizer.json</c> files state them, in .NET's notation.</summary>
/// <remarks>Characters beyond U+FFFF appear as <see cref="CategoryText"/> writes them.</remarks>
internal static class PreTokenizerPatterns
{
    // English contractions, in any case.
    private const string Contraction = @"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
    private const string Space = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Before = @"[^\r\n\p{L}\p{N}]?";
    private const string AsciiSigns = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]";

    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    public const string Llama3 = Contraction + "|" + Before + @"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Space;
    public const string Qwen2 = Contraction + "|" + Before + @"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Space;
    public const string Qwen35 = Contraction + "|" + Before + @"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + Space;
    public const string MiniCpm5 = Contraction + "|" + Before + @"\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Space;
    public const string SeedCoder = Contraction + "|" + Before + @"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|" + Space;
    public const string BailingMoe = @"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|" + Before + @"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    public const string ExaoneMoe = Contraction + "|" + Before + @"(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
    public const string Jais2 = Contraction + "|" + Before + @"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        + @"|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s";

    // Words that begin with capitals and go on in small letters.
    public const string Tekken = Before + Upper + "*" + Lower + "+|" + Before + Upper + "+" + Lower + @"*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Space;
    public const string Gpt4o = Cased + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Space;
    public const string Youtu = Cased + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Space;
    private const string Cased = Before + Upper + "*" + Lower + "+(?:" + Contraction + ")?|" + Before + Upper + "+" + Lower + "*(?:" + Contraction + ")?";

    // The script Han below U+10000, and the character that stands for all of it above.
    private const string Han = @"\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFA6D\uFA70-\uFAD9";
    private const string LowerNotHan = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}-[" + Han + "]]";
    private const string UpperNotHan = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}-[" + Han + "]]";
    public const string KimiK2 = "[" + Han + "]+|" + Before + UpperNotHan + "*" + LowerNotHan + "+(?:" + Contraction + ")?|"
        + Before + UpperNotHan + "+" + LowerNotHan + "*(?:" + Contraction + @")?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Space;

    public const string DeepSeek3 = AsciiSigns + @"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + Space;
    public const string DeepSeek3Cjk = @"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+";
    public const string DeepSeekCoderCjk = @"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";
    public const string DeepSeekLlmSigns = @"\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+";

    // The letters of scripts with two cases that deepseek-llm knows.
    public const string DeepSeekLlmLetters = @"\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373"
        + @"\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5"
        + @"\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45"
        + @"\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3"
        + @"\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D"
        + @"\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D"
        + @"\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A]+";

    public const string AfmoeAsian = @"[\u4E00-\u9FFE\u3400-\u4DBF\uF900-\uFAFF\u3040-\u309F\u30A0-\u30FF\uFF65-\uFF9F\u2F00-\u2FDF\u0E40-\u0E7F"
        + @"\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F\uA9E0-\uA9FF\uAC00-\uD7AF\u1100-\u11FF]+";
    public const string YoutuAsian = @"[\uAC00-\uD7A3\u3131-\u318E]+|[\uFF01\u2026\u201C\u201D\u2018\u2019\u2014\uFF1A\uFF1B\uFF0C\u3001-\u303F\uFE30-\uFE4F]+"
        + @"|[\u3105-\u312F]+|[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+";

    // Bloom's: a word is what holds none of these signs.
    public const string Bloom = @" ?[^(\s|.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C)]+";
    public const string FalconSigns = @"[\p{P}\$\+<=>\^~\|`]+";
    public const string DefaultSigns = @"[\p{P}\$\+<=>\^~\|]+";
    public const string ChameleonImages = "(?:IMGIMG)[A-I]{1,4}Z";
    public const string ChameleonSpace = @"[\t\n]|    |  ";
    public const string ChameleonSigns = @"[\p{P}!-/:-@\[-`{-~]";
}
