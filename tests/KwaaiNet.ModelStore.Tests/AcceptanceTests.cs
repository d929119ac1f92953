using System.Security.Cryptography;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.Tests.Fakes;

namespace KwaaiNet.ModelStore.Tests;

/// <summary>A model of 600 MB that nobody holds in memory: made up by the server as it is asked for.</summary>
public sealed class AcceptanceTests
{
    private const int Blocks = 20;

    private const long NeededDisk = 1L << 30;

    [Fact]
    public async Task A_pull_of_600_MB_that_is_cut_ten_times_resumes_and_verifies()
    {
        SkipWithoutRoom();
        Content model = Large();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("large", "f16", model);
        Random random = new(7);
        for (int i = 0; i < 10; i++) fixture.Hub.Cuts.Enqueue(random.NextInt64(20_000_000, 60_000_000));

        PullResult result = await fixture.PullAsync("large:f16");

        Assert.True(model.Length > 600_000_000, $"{model.Length} bytes");
        Assert.Empty(fixture.Hub.Cuts);
        Assert.Equal(11, fixture.Hub.Requests.Count(request => request.Path.Contains("/blobs/", StringComparison.Ordinal)));
        Assert.Equal(model.Length, result.Received);
        Assert.Equal(Path.Combine(fixture.Folder, "large", "f16.gguf"), result.Path);
        await using FileStream file = File.OpenRead(result.Path);
        Assert.Equal(model.Sha256(), Convert.ToHexStringLower(await SHA256.HashDataAsync(file, TestContext.Current.CancellationToken)));
        Assert.Equal(["large/f16.gguf", "large/f16.gguf.card.json", "large/f16.gguf.digests.json"], fixture.FilesLeft());
    }

    [Fact]
    public async Task A_quarter_of_the_blocks_is_about_a_quarter_of_the_bytes()
    {
        SkipWithoutRoom();
        Content model = Large();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("large", "f16", model);

        PullResult result = await fixture.PullAsync("large:f16", "5-9");

        Assert.InRange(fixture.Hub.Sent, model.Length / 5, model.Length * 3 / 10);
        Assert.InRange(result.Saved, model.Length * 7 / 10, model.Length * 8 / 10);
        using GgufModelFile part = GgufModelFile.Open(result.Path);
        Assert.Equal(model.Sha256(), part.WeightsHash);
        Assert.Equal((5, 10), (part.Part!.FirstBlock, part.Part.EndBlock));
        Assert.All(part.TensorNames, name => Assert.InRange(int.Parse(name.Split('.')[1], null), 5, 9));
    }

    [Fact]
    public async Task A_wrong_byte_is_caught_and_its_tensor_named()
    {
        Content model = MadeUpModel.Create(blocks: 4);
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("small", "latest", model);
        PullResult whole = await fixture.PullAsync("small");
        string list = Path.Combine(fixture.Folder, "list.json");
        File.Move(TensorDigests.PathFor(whole.Path), list);
        File.Delete(whole.Path);
        GgufTensorPlace hit = MadeUpModel.LayoutOf(model).Tensors.Single(tensor => tensor.Name == "blk.2.ffn_up.weight");
        model.WrongByte = hit.Offset + 17;

        ModelStoreException wholeWrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("small"));
        Assert.Contains(model.Sha256(), wholeWrong.Message, StringComparison.Ordinal);
        Assert.Contains("latest.gguf", wholeWrong.Message, StringComparison.Ordinal);
        ModelStoreException partWrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("small", "2-3", list));
        Assert.Contains("blk.2.ffn_up.weight", partWrong.Message, StringComparison.Ordinal);

        // Once the server is well again, only what is missing comes.
        model.WrongByte = null;
        PullResult part = await fixture.PullAsync("small", "2-3", list);
        Assert.Contains("going on after", fixture.Said, StringComparison.Ordinal);
        Assert.Contains("list of digests", part.Verified, StringComparison.Ordinal);
        using GgufModelFile file = GgufModelFile.Open(part.Path);
        Assert.Equal(model.Sha256(), file.WeightsHash);
    }

    private static Content Large() => MadeUpModel.Create(Blocks, width: 1024, feedForward: 3712);

    private static void SkipWithoutRoom() => Assert.SkipWhen(
        new DriveInfo(Path.GetTempPath()).AvailableFreeSpace < NeededDisk, $"Less than 1 GiB is free in {Path.GetTempPath()}.");
}
