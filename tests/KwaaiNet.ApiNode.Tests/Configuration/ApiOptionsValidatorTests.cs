using KwaaiNet.ApiNode.Configuration;

namespace KwaaiNet.ApiNode.Tests.Configuration;

public sealed class ApiOptionsValidatorTests
{
    [Fact]
    public void Defaults_are_valid() => Assert.False(new ApiOptionsValidator().Validate(null, new ApiOptions()).Failed);

    [Theory]
    [InlineData(2048, true)]
    [InlineData(2049, false)]
    public void A_prefill_chunk_is_no_more_than_a_shard_takes_in_one_step(int rows, bool valid) =>
        Assert.Equal(valid, new ApiOptionsValidator().Validate(null, new ApiOptions { PrefillChunk = rows }).Succeeded);

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        ApiOptions options = new()
        {
            PrefillChunk = 0,
            MaxTokensDefault = 0,
            MaxRequestBytes = 1,
            MaxChainAttempts = 0,
            OpenTimeoutSeconds = 0,
            StepTimeoutSeconds = double.NaN,
            MaxWaitSeconds = double.NaN,
            MaxWaiting = 0,
            Models = { new ApiModelOptions(), new ApiModelOptions { Name = "a", Path = "/nowhere.gguf" }, new ApiModelOptions { Name = "a", Path = "/nowhere.gguf" } },
        };
        string[] failures = [.. new ApiOptionsValidator().Validate(null, options).Failures!];
        foreach (string property in (string[])
            ["Models:0:Name", "Models:0:Path", "Models:1:Path", "Models:2:Name", "PrefillChunk", "MaxTokensDefault", "MaxRequestBytes", "MaxChainAttempts", "OpenTimeoutSeconds", "StepTimeoutSeconds", "MaxWaitSeconds", "MaxWaiting"])
        {
            Assert.Contains(failures, failure => failure.Contains(property, StringComparison.Ordinal));
        }
    }
}
