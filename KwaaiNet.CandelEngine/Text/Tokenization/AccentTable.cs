using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Takes accents off letters: Unicode's canonical decomposition without its nonspacing marks.</summary>
/// <remarks>
/// Of our own because .NET decomposes with the ICU library, which we do without so that machines agree. From UnicodeData.txt; the scripts below
/// U+3100 and Hangul, whose syllables come apart by a rule. The compatibility ideographs are left as they are.
/// </remarks>
internal static class AccentTable
{
    // Each word is a letter and the letters that are that one with accents.
    private const string Letters =
        "AÀÁÂÃÄÅĀĂĄǍǞǠǺȀȂȦḀẠẢẤẦẨẪẬẮẰẲẴẶÅ CÇĆĈĊČḈ EÈÉÊËĒĔĖĘĚȄȆȨḔḖḘḚḜẸẺẼẾỀỂỄỆ IÌÍÎÏĨĪĬĮİǏȈȊḬḮỈỊ NÑŃŅŇǸṄṆṈṊ "
        + "OÒÓÔÕÖŌŎŐƠǑǪǬȌȎȪȬȮȰṌṎṐṒỌỎỐỒỔỖỘỚỜỞỠỢ UÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛȔȖṲṴṶṸṺỤỦỨỪỬỮỰ YÝŶŸȲẎỲỴỶỸ aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ cçćĉċčḉ "
        + "eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ iìíîïĩīĭįǐȉȋḭḯỉị nñńņňǹṅṇṉṋ oòóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ "
        + "uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự yýÿŷȳẏẙỳỵỷỹ DĎḊḌḎḐḒ dďḋḍḏḑḓ GĜĞĠĢǦǴḠ gĝğġģǧǵḡ HĤȞḢḤḦḨḪ hĥȟḣḥḧḩḫẖ JĴ jĵǰ KĶǨḰḲḴK kķǩḱḳḵ "
        + "LĹĻĽḶḸḺḼ lĺļľḷḹḻḽ RŔŖŘȐȒṘṚṜṞ rŕŗřȑȓṙṛṝṟ SŚŜŞŠȘṠṢṤṦṨ sśŝşšșṡṣṥṧṩ TŢŤȚṪṬṮṰ tţťțṫṭṯṱẗ WŴẀẂẄẆẈ wŵẁẃẅẇẉẘ ZŹŻŽẐẒẔ zźżžẑẓẕ ÆǢǼ "
        + "æǣǽ ƷǮ ʒǯ ØǾ øǿ ʹʹ ;\u037E \u00A8\u0385\u1FC1\u1FED\u1FEE ΑΆἈἉἊἋἌἍἎἏᾈᾉᾊᾋᾌᾍᾎᾏᾸᾹᾺΆᾼ \u00B7\u0387 ΕΈἘἙἚἛἜἝῈΈ "
        + "ΗΉἨἩἪἫἬἭἮἯᾘᾙᾚᾛᾜᾝᾞᾟῊΉῌ ΙΊΪἸἹἺἻἼἽἾἿῘῙῚΊ ΟΌὈὉὊὋὌὍῸΌ ΥΎΫὙὛὝὟῨῩῪΎ ΩΏὨὩὪὫὬὭὮὯᾨᾩᾪᾫᾬᾭᾮᾯῺΏῼΩ ιΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ "
        + "αάἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ εέἐἑἒἓἔἕὲέ ηήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ υΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ οόὀὁὂὃὄὅὸό "
        + "ωώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ ϒϓϔ ЕЀЁӖ ГЃ ІЇ КЌ ИЍЙӢӤ УЎӮӰӲ ийѝӣӥ еѐёӗ гѓ ії кќ уўӯӱӳ ѴѶ ѵѷ ЖӁӜ жӂӝ АӐӒ аӑӓ ӘӚ әӛ ЗӞ зӟ ОӦ "
        + "оӧ ӨӪ өӫ ЭӬ эӭ ЧӴ чӵ ЫӸ ыӹ اآأإ وؤ يئ ەۀ ہۂ ےۓ नऩ रऱ ळऴ कक़ खख़ गग़ जज़ डड़ ढढ़ फफ़ यय़ ডড় ঢঢ় যয় ਲਲ਼ ਸਸ਼ ਖਖ਼ ਗਗ਼ ਜਜ਼ ਫਫ਼ \u0B47\u0B48 "
        + "ଡଡ଼ ଢଢ଼ \u0CD5\u0CC0\u0CC7 \u0CD6\u0CC8 \u0CC2\u0CCA \u0DD9\u0DDA གགྷ ཌཌྷ དདྷ བབྷ ཛཛྷ ཀཀྵ ဥဦ \u1B35\u1B3B\u1B3D\u1B43 BḂḄḆ bḃḅḇ "
        + "FḞ fḟ MḾṀṂ mḿṁṃ PṔṖ pṕṗ VṼṾ vṽṿ XẊẌ xẋẍ ſẛ \u1FBF\u1FCD\u1FCE\u1FCF \u1FFE\u1FDD\u1FDE\u1FDF ρῤῥ ΡῬ `\u1FEF "
        + "\u00B4\u1FFD \u2002\u2000 \u2003\u2001 \u2190\u219A \u2192\u219B \u2194\u21AE \u21D0\u21CD \u21D4\u21CE \u21D2\u21CF "
        + "\u2203\u2204 \u2208\u2209 \u220B\u220C \u2223\u2224 \u2225\u2226 \u223C\u2241 \u2243\u2244 \u2245\u2247 \u2248\u2249 "
        + "=\u2260 \u2261\u2262 \u224D\u226D <\u226E >\u226F \u2264\u2270 \u2265\u2271 \u2272\u2274 \u2273\u2275 \u2276\u2278 "
        + "\u2277\u2279 \u227A\u2280 \u227B\u2281 \u2282\u2284 \u2283\u2285 \u2286\u2288 \u2287\u2289 \u22A2\u22AC \u22A8\u22AD "
        + "\u22A9\u22AE \u22AB\u22AF \u227C\u22E0 \u227D\u22E1 \u2291\u22E2 \u2292\u22E3 \u22B2\u22EA \u22B3\u22EB \u22B4\u22EC "
        + "\u22B5\u22ED \u3008\u2329 \u3009\u232A \u2ADD\u2ADC かが きぎ くぐ けげ こご さざ しじ すず せぜ そぞ ただ ちぢ つづ てで とど はばぱ ひびぴ ふぶぷ へべぺ ほぼぽ うゔ "
        + "ゝゞ カガ キギ クグ ケゲ コゴ サザ シジ スズ セゼ ソゾ タダ チヂ ツヅ テデ トド ハバパ ヒビピ フブプ ヘベペ ホボポ ウヴ ワヷ ヰヸ ヱヹ ヲヺ ヽヾ";

    private static readonly Dictionary<char, char> s_plain = Read();

    /// <summary>The text with Hangul in its letters and accents taken off; marks that stand alone are not touched.</summary>
    /// <param name="text">Any text.</param>
    public static string Strip(ReadOnlySpan<char> text)
    {
        StringBuilder plain = new(text.Length);
        foreach (char c in text)
        {
            if (c is >= '\uAC00' and <= '\uD7A3')
                AppendHangul(plain, c - '\uAC00');
            else
                plain.Append(c >= '\u00C0' && s_plain.TryGetValue(c, out char letter) ? letter : c);
        }

        return plain.ToString();
    }

    // The Unicode Standard, §3.12: 19 leading consonants, 21 vowels, 27 trailing consonants or none.
    private static void AppendHangul(StringBuilder text, int syllable)
    {
        text.Append((char)(0x1100 + (syllable / 588))).Append((char)(0x1161 + (syllable % 588 / 28)));
        if (syllable % 28 > 0)
            text.Append((char)(0x11A7 + (syllable % 28)));
    }

    private static Dictionary<char, char> Read()
    {
        Dictionary<char, char> plain = [];
        foreach (string word in Letters.Split(' '))
        {
            foreach (char accented in word.AsSpan(1))
                plain[accented] = word[0];
        }

        return plain;
    }
}
