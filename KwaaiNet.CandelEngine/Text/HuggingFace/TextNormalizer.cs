using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Changes a text before it is split: the <c>normalizer</c> of a <c>tokenizer.json</c>, as steps one after another.</summary>
internal sealed class TextNormalizer
{
    private const string Known = "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD and ByteLevel";

    // Unicode's own normal forms make at most 18 characters of one; a file that makes more of a text is after the memory.
    private const int MostOfOne = 32;
    private const int MostBeside = 1 << 16;
    private const int LongestPart = 256;

    private readonly TokenizerJson _file;
    private readonly Func<string, string>[] _steps;

    private TextNormalizer(TokenizerJson file, Func<string, string>[] steps) => (_file, _steps) = (file, steps);

    /// <summary>Makes the normalizer a file describes; null when there is none.</summary>
    /// <exception cref="ModelFormatException">A step is not known.</exception>
    public static TextNormalizer? Create(TokenizerJson file)
    {
        if (file.Normalizer is not { } part)
            return null;
        List<Func<string, string>> steps = [];
        AddSteps(file, part, steps);
        return steps.Count == 0 ? null : new TextNormalizer(file, [.. steps]);
    }

    /// <summary>Normalizes a text without lone surrogates.</summary>
    /// <exception cref="ModelFormatException">The steps make far more of the text than it is.</exception>
    public string Normalize(string text)
    {
        long most = ((long)MostOfOne * text.Length) + MostBeside;
        foreach (Func<string, string> step in _steps)
        {
            text = step(text);
            if (text.Length > most)
                throw _file.Problem($"the normalizer makes more than {most} characters of a text");
        }

        return text;
    }

    private static void AddSteps(TokenizerJson file, JsonElement part, List<Func<string, string>> steps)
    {
        JsonPart json = new(file, "normalizer", part);
        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonElement step in json.Array("normalizers"))
                    AddSteps(file, step, steps);
                break;
            case "Prepend":
                string before = NotLong(file, json.String("prepend"));
                steps.Add(text => text.Length == 0 ? text : before + text);
                break;
            case "Replace":
                TextPattern pattern = TextPattern.Read(file, part);
                string content = NotLong(file, json.String("content"));
                steps.Add(text => Replace(text, pattern, content));
                break;
            case "NFC": steps.Add(text => text.Normalize(NormalizationForm.FormC)); break;
            case "NFD": steps.Add(text => text.Normalize(NormalizationForm.FormD)); break;
            case "NFKC": steps.Add(text => text.Normalize(NormalizationForm.FormKC)); break;
            case "NFKD": steps.Add(text => text.Normalize(NormalizationForm.FormKD)); break;
            case "ByteLevel": steps.Add(ToAlphabet); break;
            default: throw file.NotKnown("normalizer", json.Type, Known);
        }
    }

    private static string NotLong(TokenizerJson file, string text) =>
        text.Length <= LongestPart ? text : throw file.Problem($"the normalizer puts {text.Length} characters where it puts one; at most {LongestPart} are allowed");

    /// <summary>Writes a text's bytes in GPT-2's alphabet.</summary>
    public static string ToAlphabet(string text) => string.Create(Encoding.UTF8.GetByteCount(text), text, static (characters, text) =>
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < bytes.Length; i++)
            characters[i] = ByteAlphabet.ToCharacter(bytes[i]);
    });

    private static string Replace(string text, TextPattern pattern, string content)
    {
        List<MatchedRange> ranges = [];
        pattern.Find(text, ranges);
        if (!ranges.Exists(range => range.IsMatch))
            return text;
        StringBuilder result = new(text.Length);
        foreach (MatchedRange range in ranges)
            result.Append(range.IsMatch ? content : text.AsSpan(range.Start, range.End - range.Start));
        return result.ToString();
    }
}
