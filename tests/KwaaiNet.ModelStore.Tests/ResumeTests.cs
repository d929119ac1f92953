using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.Tests.Fakes;

namespace KwaaiNet.ModelStore.Tests;

/// <summary>Ctrl-C, and what the next run makes of what was left.</summary>
public sealed class ResumeTests
{
    private static Content Medium(int seed = 1) => MadeUpModel.Create(blocks: 8, width: 512, feedForward: 1024, seed: seed);

    [Theory]
    [InlineData(null)]
    [InlineData("2-5")]
    public async Task A_pull_that_was_stopped_goes_on_where_it_was(string? blocks)
    {
        Content model = Medium();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", model);
        await StopInTheMiddleAsync(fixture, blocks);
        long before = fixture.Hub.Sent;

        PullResult result = await fixture.PullAsync("medium:f16", blocks);

        Assert.True(result.Files[0].Resumed > 0, "nothing was gone on with");
        Assert.Contains("going on after", fixture.Said, StringComparison.Ordinal);
        Assert.True(fixture.Hub.Sent - before < model.Length, "all came again");
        using GgufModelFile file = GgufModelFile.Open(result.Path);
        Assert.Equal(model.Sha256(), file.WeightsHash);
        Assert.DoesNotContain(fixture.FilesLeft(), name => name.Contains(".part", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2-5")]
    public async Task Bytes_that_changed_on_the_disk_meanwhile_are_not_trusted(string? blocks)
    {
        Content model = Medium();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", model);
        await StopInTheMiddleAsync(fixture, blocks);
        string part = Directory.EnumerateFiles(fixture.Folder, "*.part", SearchOption.AllDirectories).Single();
        await using (FileStream stream = new(part, FileMode.Open))
        {
            stream.Position = stream.Length / 2;
            int old = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(old ^ 1));
        }

        if (blocks is null)
        {
            ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("medium:f16"));
            Assert.Contains("is not the file its publisher names", wrong.Message, StringComparison.Ordinal);
            Assert.Empty(fixture.FilesLeft());
        }

        PullResult result = await fixture.PullAsync("medium:f16", blocks);
        AssertTensorsAre(model, result.Path);
    }

    [Fact]
    public async Task A_file_that_changed_at_its_publisher_starts_again_and_it_is_said()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", Medium());
        await StopInTheMiddleAsync(fixture, null);
        Content newer = Medium(seed: 2);
        fixture.Hub.PublishInRegistry("medium", "f16", newer);
        PullResult result = await fixture.PullAsync("medium:f16");
        Assert.Contains("its publisher has another file by now", fixture.Said, StringComparison.Ordinal);
        AssertTensorsAre(newer, result.Path);
    }

    [Fact]
    public async Task What_is_there_already_is_not_fetched_again()
    {
        Content model = Medium();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", model);
        await fixture.PullAsync("medium:f16");
        long before = fixture.Hub.Sent;
        Assert.True((await fixture.PullAsync("medium:f16")).WasThere);
        PullResult blocks = await fixture.PullAsync("medium:f16", "0-3");
        Assert.True(blocks.WasThere);
        Assert.Contains("is here whole already", fixture.Said, StringComparison.Ordinal);
        Assert.Equal(before, fixture.Hub.Sent);
    }

    [Fact]
    public async Task Two_pulls_of_one_file_are_one_download()
    {
        Content model = Medium();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", model);
        PullResult[] results = await Task.WhenAll(fixture.PullAsync("medium:f16"), fixture.PullAsync("medium:f16"));
        Assert.Single(results, result => result.WasThere);
        Assert.Equal(model.Length, fixture.Hub.Sent);
    }

    [Fact]
    public async Task Blocks_of_a_tied_model_hold_what_their_stack_needs()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("tied", "f16", MadeUpModel.Create(blocks: 4, tied: true));
        fixture.Hub.PublishInRegistry("free", "f16", MadeUpModel.Create(blocks: 4, tied: false));

        Assert.Equal("token_embd.weight", await OutsideAsync("tied", "0-1"));
        Assert.Equal("", await OutsideAsync("tied", "1-2"));
        Assert.Equal("token_embd.weight output_norm.weight", await OutsideAsync("tied", "3"));
        Assert.Equal("output_norm.weight output.weight", await OutsideAsync("free", "2-3"));

        async Task<string> OutsideAsync(string name, string blocks)
        {
            using GgufFile file = GgufFile.Open((await fixture.PullAsync($"{name}:f16", blocks)).Path);
            return string.Join(' ', file.TensorNames.Where(tensor => !tensor.StartsWith("blk.", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_header_alone_opens_as_a_model()
    {
        Content model = Medium();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", model);
        PullResult result = await fixture.PullAsync("medium:f16", "none");
        Assert.True(fixture.Hub.Sent < 1 << 19, $"{fixture.Hub.Sent} bytes were sent");
        using GgufModelFile file = GgufModelFile.Open(result.Path);
        Assert.Equal((8, 256, "F16", model.Sha256()), (file.Shape.BlockCount, file.Shape.VocabularySize, file.WeightFormat, file.WeightsHash));
        CandelEngine.Files.ModelFormatException missing = Assert.Throws<CandelEngine.Files.ModelFormatException>(() => file.RequireBlocks(2, 4));
        Assert.Contains("kwaainet pull medium:f16 --blocks 2-3", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocks_the_model_has_not_are_refused()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("medium", "f16", MadeUpModel.Create(blocks: 4));
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("medium:f16", "2-9"));
        Assert.Contains("has blocks 0-3", wrong.Message, StringComparison.Ordinal);
    }

    private static async Task StopInTheMiddleAsync(PullFixture fixture, string? blocks)
    {
        using CancellationTokenSource stop = new();
        fixture.Watch = entry =>
        {
            if (entry.Stage == PullStage.Receiving && entry.Bytes > entry.Total / 2) stop.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.PullAsync("medium:f16", blocks, cancellationToken: stop.Token));
        fixture.Watch = _ => { };
        Assert.Contains(fixture.FilesLeft(), name => name.EndsWith(".part", StringComparison.Ordinal));
    }

    private static void AssertTensorsAre(Content model, string path)
    {
        Dictionary<string, GgufTensorPlace> places = MadeUpModel.LayoutOf(model).Tensors.ToDictionary(place => place.Name);
        using GgufFile file = GgufFile.Open(path);
        foreach (string name in file.TensorNames)
        {
            Assert.True(file.TryGetTensor(name, out CandelEngine.Tensors.TensorData tensor));
            byte[] expected = new byte[places[name].Bytes];
            model.Read(places[name].Offset, expected);
            Assert.True(tensor.Bytes.SequenceEqual(expected), $"{name} differs");
        }
    }
}
