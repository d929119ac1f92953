using CsCheck;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>Folders with random damage in one of their files. CsCheck prints the seed of a failure.</summary>
[Trait("Category", "BadInput")]
public sealed class MutatedFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model-00001-of-00002.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Damage_is_a_typed_error_or_no_error_and_never_a_large_allocation(string name)
    {
        string folder = PublishedModels.Make("llama 3.1").Folder(_folder, "model", files: 2);
        _folder.Write("model/tokenizer_config.json", """{"bos_token":{"content":"<|im_start|>","special":true},"eos_token":"<|im_end|>","add_bos_token":false,"chat_template":[{"name":"default","template":"{{ messages[0].content }}"}]}"""u8);
        string path = Path.Combine(folder, name);
        byte[] good = File.ReadAllBytes(path);
        long all = Directory.GetFiles(folder).Sum(file => new FileInfo(file).Length);
        // Signs that JSON gives a meaning do more than any byte; most of a weight file is data, where nothing can go wrong.
        Gen<byte> value = Gen.OneOf(Gen.Byte, Gen.Int[0, 14].Select(i => (byte)"{}[]\",:0-1e.\\u "[i]));
        Gen<(int At, byte Value)[]> damage = Gen.Select(Gen.OneOf(Gen.Int[0, Math.Min(good.Length, 4000) - 1], Gen.Int[0, good.Length - 1]), value).Array[1, 4];
        Gen.Select(damage, Gen.Int[0, 4000]).Sample(
            (changes, cut) =>
            {
                byte[] bytes = [.. good];
                foreach ((int at, byte to) in changes)
                    bytes[at] = to;
                if (cut < 200)
                    bytes = bytes[..(int)(bytes.Length * (cut / 200.0))];
                File.WriteAllBytes(path, bytes);
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    using ModelFile model = ModelFile.Open(folder);
                    foreach (string tensor in model.TensorNames)
                        Assert.True(model.TryGetTensor(tensor, out TensorData data) && data.Bytes.Length == data.ByteLength);
                    model.Tokenizer.Decode(model.Tokenizer.Encode("hello world <|im_end|> \ud83d\ude00"));
                    _ = model.ChatTemplate;
                }
                catch (Exception e) when (e is ModelFormatException or FileNotFoundException)
                {
                    // What is asked for.
                }

                return GC.GetAllocatedBytesForCurrentThread() - before < (2 * all) + 500_000;
            },
            iter: 300,
            threads: 1);
    }
}
