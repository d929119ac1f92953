using KwaaiNet.ServiceDefaults.Hosting;
using KwaaiNet.ShardNode.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Tests.Hosts;

public sealed class ShardOptionsTests
{
    [Theory]
    [InlineData("Shard:ModelPath", "Shard:ModelPath=")]
    [InlineData("no-such-file.gguf", "Shard:ModelPath=no-such-file.gguf")]
    [InlineData("is not a model's name", "Shard:ModelPath=", "Shard:Pull=true", "Shard:Model=../x")]
    [InlineData("ModelStore:Registry", "ModelStore:Registry=nonsense")]
    [InlineData("'9-0' is not a block range", "Shard:Blocks=9-0")]
    [InlineData("Backend", "Shard:Backend=abacus")]
    [InlineData("SessionTtlSeconds", "Shard:SessionTtlSeconds=0")]
    [InlineData("PrefillChunkRows", "Shard:PrefillChunkRows=2049")] // more than one step may carry
    [InlineData("IterationTargetMs", "Shard:IterationTargetMs=0")]
    [InlineData("HangSeconds", "Shard:HangSeconds=0")]
    [InlineData("MaxOwnerSessions", "Shard:MaxOwnerSessions=0")]
    [InlineData("needs discovery", "Shard:ExpectedShards=3")]
    [InlineData("names an accelerator", "Shard:Device=0", "Shard:Backend=cpu")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string expected, params string[] options)
    {
        string[] args = ["--Node:GrpcPort=0", $"--Shard:ModelPath={TinyModel.Path}", .. options.Select(option => "--" + option)];
        await using WebApplication app = ShardHost.Build(args, builder => builder.Logging.ClearProviders());
        OptionsValidationException wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(wrong.Failures, failure => failure.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_no_model_ends_the_program_with_a_failure()
    {
        string path = Path.Combine(Path.GetTempPath(), $"kwaainet-bad-{Guid.NewGuid():N}.gguf");
        await File.WriteAllTextAsync(path, "this is no model", TestContext.Current.CancellationToken);
        try
        {
            int code = await NodeProgram.RunAsync(
                ["--Node:GrpcPort=0", $"--Shard:ModelPath={path}"], args => ShardHost.Build(args, builder => builder.Logging.ClearProviders()));
            Assert.Equal(NodeProgram.Failed, code);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
