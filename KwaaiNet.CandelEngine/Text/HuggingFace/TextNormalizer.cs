using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Changes a text before it is split: the <c>normalizer</c> of a <c>tokenizer.json</c>, as steps one after another.</summary>
internal sealed class TextNormalizer
{
    private const string Known = "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD and ByteLevel";

    private readonly Func<string, string>[] _steps;

    private TextNormalizer(Func<string, string>[] steps) => _steps = steps;

    /// <summary>Makes the normalizer a file describes; null when there is none.</summary>
    /// <exception cref="ModelFormatException">A step is not known.</exception>
    public static TextNormalizer? Create(TokenizerJson file)
    {
        if (file.Normalizer is not { } part)
            return null;
        List<Func<string, string>> steps = [];
        AddSteps(file, part, steps);
        return steps.Count == 0 ? null : new TextNormalizer([.. steps]);
    }

    /// <summary>Normalizes a text without lone surrogates.</summary>
    public string Normalize(string text)
    {
        foreach (Func<string, string> step in _steps)
            text = step(text);
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
                string before = json.String("prepend");
                steps.Add(text => text.Length == 0 ? text : before + text);
                break;
            case "Replace":
                TextPattern pattern = TextPattern.Read(file, part);
                string content = json.String("content");
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
