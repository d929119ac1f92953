using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

public sealed class RealFileTests
{
    [Fact]
    public void A_real_model_opens_with_its_shape_and_tensors()
    {
        using ModelFile model = ModelFile.Open(TestData.Require("models", "stories260K-f32.gguf"));

        Assert.Equal((5, 64, 8, 4, 8, 172, 512, 512), (model.Shape.BlockCount, model.Shape.Width, model.Shape.HeadCount, model.Shape.KvHeadCount, model.Shape.HeadSize, model.Shape.FeedForwardWidth, model.Shape.VocabularySize, model.Shape.ContextLength));
        Assert.Equal("llama2.c", model.Name);
        Assert.Equal("F32", model.WeightFormat);
        Assert.Equal(48, model.TensorNames.Count);
        Assert.True(model.TryGetTensor("blk.0.ffn_up.weight", out TensorData up));
        Assert.Equal((172, 64, 172 * 64 * 4), (up.Rows, up.Columns, up.Bytes.Length));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(model.Path))), model.WeightsHash);
    }
}
