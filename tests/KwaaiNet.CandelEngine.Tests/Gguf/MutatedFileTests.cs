using CsCheck;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

/// <summary>Files with random damage. CsCheck prints the seed of a failure.</summary>
[Trait("Category", "BadInput")]
public sealed class MutatedFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damage_is_a_typed_error_or_no_error_and_never_a_large_allocation()
    {
        byte[] good = SmallModel.Build();
        // Most of the file is tensor data, where nothing can go wrong: half the damage goes to the first bytes.
        Gen<(int At, byte Value)[]> damage = Gen.Select(Gen.OneOf(Gen.Int[0, 2000], Gen.Int[0, good.Length - 1]), Gen.Byte).Array[1, 6];
        Gen.Select(damage, Gen.Int[0, 4000]).Sample(
            (changes, cut) =>
            {
                byte[] bytes = [.. good];
                foreach ((int at, byte value) in changes)
                    bytes[at] = value;
                if (cut < 200)
                    bytes = bytes[..Math.Max(1, bytes.Length - (cut * 20))];
                string path = _folder.Write("mutated.gguf", bytes);
                // A template may make text up to its budget, a vocabulary is read twice: reading the header is what is measured.
                long before = GC.GetAllocatedBytesForCurrentThread();
                long allocated = -1;
                try
                {
                    using ModelFile model = ModelFile.Open(path);
                    allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                    Use(model);
                }
                catch (Exception e) when (e is ModelFormatException or ChatTemplateException)
                {
                    if (allocated < 0)
                        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                }

                return allocated < (2 * bytes.Length) + 100_000;
            },
            iter: 3000,
            threads: 1);
    }

    private static void Use(ModelFile model)
    {
        long sum = 0;
        foreach (string name in model.TensorNames)
        {
            Assert.True(model.TryGetTensor(name, out TensorData tensor));
            foreach (byte value in tensor.Bytes)
                sum += value;
        }

        Assert.True(sum >= 0);
        int[] ids = model.Tokenizer.Encode("hello world <s> \ud83d\ude00");
        model.Tokenizer.Decode(ids);
        model.ChatTemplate?.Encode(model.Tokenizer, [new ChatTurn("user", "hello <s>")]);
    }
}
