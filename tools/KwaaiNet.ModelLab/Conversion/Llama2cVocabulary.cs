using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelLab.Conversion;

// tokenizer.bin, little-endian:   i32 longest piece   then for each token   float32 score   i32 bytes   the piece in UTF-8
// It is Llama's SentencePiece vocabulary made printable: control tokens stand between line breaks ("\n<s>\n"), a byte token holds the
// character of its number (or "<0x0A>" in newer files), and a word starts with a space where SentencePiece has U+2581.

/// <summary>The vocabulary of a llama2.c model, turned back into the SentencePiece one that GGUF stores.</summary>
/// <remarks>https://github.com/karpathy/llama2.c, <c>tokenizer.py</c> (<c>export</c>).</remarks>
internal sealed record Llama2cVocabulary(string[] Tokens, float[] Scores, int[] Types)
{
    private const int FirstByte = 3;
    private const int Bytes = 256;

    /// <summary>Reads <paramref name="count"/> tokens.</summary>
    /// <exception cref="InvalidDataException">The bytes end early.</exception>
    public static Llama2cVocabulary Read(ReadOnlySpan<byte> bytes, int count)
    {
        var (tokens, scores, types) = (new string[count], new float[count], new int[count]);
        int at = sizeof(int);
        for (int id = 0; id < count; id++)
        {
            if (bytes.Length < at + 8)
                throw new InvalidDataException($"The tokenizer ends at token {id} of {count}.");
            scores[id] = BinaryPrimitives.ReadSingleLittleEndian(bytes[at..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 4)..]);
            if (length < 0 || length > bytes.Length - at - 8)
                throw new InvalidDataException($"Token {id} of the tokenizer has {length} bytes; {bytes.Length - at - 8} are left.");
            (tokens[id], types[id]) = id switch
            {
                0 => ("<unk>", 2),
                1 => ("<s>", 3),
                2 => ("</s>", 3),
                < FirstByte + Bytes => (string.Create(CultureInfo.InvariantCulture, $"<0x{id - FirstByte:X2}>"), 6),
                _ => (Encoding.UTF8.GetString(bytes.Slice(at + 8, length)).Replace(' ', '\u2581'), 1),
            };
            at += 8 + length;
        }

        return new(tokens, scores, types);
    }

    /// <summary>Writes the vocabulary's metadata.</summary>
    public void Add(GgufWriter writer)
    {
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.pre", "default");
        writer.AddArray("tokenizer.ggml.tokens", Tokens);
        writer.AddArray<float>("tokenizer.ggml.scores", Scores);
        writer.AddArray<int>("tokenizer.ggml.token_type", Types);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.unknown_token_id", 0u);
    }
}
