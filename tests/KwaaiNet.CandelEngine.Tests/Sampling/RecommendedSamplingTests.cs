using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Tests.Gguf;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

public sealed class RecommendedSamplingTests
{
    [Fact]
    public void A_file_that_says_nothing_recommends_nothing() => Assert.True(Read(_ => { }).IsEmpty);

    [Fact]
    public void What_the_converter_writes_is_read()
    {
        RecommendedSampling found = Read(writer =>
        {
            writer.Add("general.sampling.temp", 0.7f);
            writer.Add("general.sampling.top_k", 20);
            writer.Add("general.sampling.top_p", 0.8f);
            writer.Add("general.sampling.min_p", 0.02f);
            writer.Add("general.sampling.penalty_repeat", 1.05f);
            writer.Add("general.sampling.penalty_last_n", -1);
            writer.Add("general.sampling.sequence", "penalties;top_k;top_p;temperature");
        });
        Assert.Equal(
            new RecommendedSampling { Temperature = 0.7f, TopK = 20, TopP = 0.8f, MinP = 0.02f, RepetitionPenalty = 1.05f, RepeatLastN = -1 }, found);
    }

    [Fact]
    public void A_penalty_without_a_window_has_llama_cpps_and_values_beyond_their_range_mean_what_they_mean_there()
    {
        RecommendedSampling found = Read(writer =>
        {
            writer.Add("general.sampling.temp", -1f);
            writer.Add("general.sampling.top_k", -1);
            writer.Add("general.sampling.top_p", 1.5f);
            writer.Add("general.sampling.penalty_repeat", 1.1f);
        });
        Assert.Equal(new RecommendedSampling { Temperature = 0, TopK = 0, TopP = 1, RepetitionPenalty = 1.1f, RepeatLastN = 64 }, found);
    }

    [Fact]
    [Trait("Category", "BadInput")]
    public void A_value_of_another_kind_names_its_key()
    {
        ModelFormatException wrong = Assert.Throws<ModelFormatException>(() => Read(writer => writer.Add("general.sampling.temp", "hot")));
        Assert.Contains("general.sampling.temp", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("general.sampling.temp", Assert.Throws<ModelFormatException>(() => Read(writer => writer.Add("general.sampling.temp", float.NaN))).Message, StringComparison.Ordinal);
        Assert.Contains("general.sampling.top_k", Assert.Throws<ModelFormatException>(() => Read(writer => writer.Add("general.sampling.top_k", 1.5f))).Message, StringComparison.Ordinal);
        Assert.Contains("penalty_repeat", Assert.Throws<ModelFormatException>(() => Read(writer => writer.Add("general.sampling.penalty_repeat", 0f))).Message, StringComparison.Ordinal);
    }

    private static RecommendedSampling Read(Action<GgufWriter> change)
    {
        using TempFolder folder = new();
        string path = Path.Combine(folder.Path, "small.gguf");
        File.WriteAllBytes(path, SmallModel.Build(change));
        using ModelFile model = ModelFile.Open(path);
        return model.RecommendedSampling;
    }
}
