using KwaaiNet.CandelEngine.Safetensors;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>safetensors files: the header and every tensor.</summary>
internal sealed class SafetensorsTarget : IFuzzTarget
{
    private const long Constant = 100_000;

    /// <summary>A tensor's description is 46 bytes of JSON at least, and a name, a shape and a table's entry in memory.</summary>
    private const int PerTensor = 256;

    public string Name => "safetensors";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = SafetensorsSeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = JsonSeeds.Words("dtype", "shape", "data_offsets", "__metadata__", "F32", "BF16", "F8_E4M3", "F4", "BOOL", "C64");

    public void Run(FuzzCase input)
    {
        using NativeInput native = new(input.Input);
        SafetensorsFile? file = null;
        // So many names, at most, can stand in front of a description.
        int tensors = input.Input.AsSpan().Count((byte)':');
        if (!input.Stage("open", 2, Constant + ((long)tensors * PerTensor), () => file = SafetensorsFile.Open(native.Map(), "fuzz.safetensors")))
            return;
        using (file)
            input.Stage("tensors", 0, Constant, () => Read(input, file!));
    }

    private static void Read(FuzzCase input, SafetensorsFile file)
    {
        long covered = 0;
        foreach (string name in file.TensorNames)
        {
            input.Require(file.TryGetTensor(name, out SafetensorsTensor tensor), "a listed tensor is found");
            ulong sum = 0;
            foreach (byte value in tensor.Bytes)
                sum += value;
            covered += tensor.ByteLength;
            input.Note(name);
            input.Note(sum);
        }

        input.Require(covered < input.Input.Length, "tensors lie side by side within the file");
        foreach ((string key, string value) in file.Metadata)
        {
            input.Note(key);
            input.Note(value);
        }
    }
}
