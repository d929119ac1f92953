using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>GGUF files: the header, every metadata value, every tensor, the model's shape, its tokenizer and template.</summary>
internal sealed class GgufTarget : IFuzzTarget
{
    /// <summary>A model has at most 4096 blocks, and its shape says how each attends.</summary>
    private const long ShapeConstant = 400_000;

    public string Name => "gguf";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = GgufSeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = GgufSeeds.Words();

    public void Run(FuzzCase input)
    {
        using NativeInput native = new(input.Input);
        GgufFile? file = null;
        if (!input.Stage("open", 2, GgufLimits.Besides(input.Input), () => file = GgufFile.Open(native.Map(), "fuzz.gguf")))
            return;
        using (file)
        {
            // A string of n bytes takes 2n and a header of some twenty; an array's value is read by whoever asks for it.
            input.Stage("metadata", 16, GgufLimits.Besides(input.Input), () => ReadMetadata(input, file!.Metadata));
            input.Stage("tensors", 0, 1000, () => ReadTensors(input, file!));
            input.Stage("model", 2, ShapeConstant, () =>
            {
                GgufModelFile model = GgufModelFile.Open(file!);
                input.Note(model.Name);
                input.Note((ulong)model.Shape.VocabularySize);
            });
        }
    }

    private static void ReadMetadata(FuzzCase input, GgufMetadata metadata)
    {
        foreach (string key in metadata.Keys)
        {
            metadata.TryGetValue(key, out GgufValue value);
            input.Note(key);
            input.Note(value.ToString());
            if (value.AsArray() is { } array)
                ReadArray(input, array);
        }
    }

    private static void ReadArray(FuzzCase input, GgufArray array)
    {
        switch (array.ElementType)
        {
            case GgufValueType.String:
                foreach (string text in array.ToStrings())
                    input.Note((ulong)text.Length);
                break;
            case GgufValueType.Int32 or GgufValueType.UInt32:
                foreach (int number in array.ToInt32s())
                    input.Note((ulong)number);
                break;
            case GgufValueType.Float32:
                foreach (float number in array.ToSingles())
                    input.Note(BitConverter.SingleToUInt32Bits(number));
                break;
        }
    }

    private static void ReadTensors(FuzzCase input, GgufFile file)
    {
        foreach (string name in file.TensorNames)
        {
            input.Require(file.TryGetTensor(name, out TensorData tensor), "a listed tensor is found");
            input.Require(tensor.Rows >= 1 && tensor.Columns >= 1 && tensor.Slices >= 1 && tensor.Rows % tensor.Slices == 0, "a tensor has rows and columns");
            ulong sum = 0;
            foreach (byte value in tensor.Bytes)
                sum += value;
            input.Note(sum);
        }
    }
}
