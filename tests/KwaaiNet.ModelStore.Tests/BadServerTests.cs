using System.Text;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.Tests.Fakes;

namespace KwaaiNet.ModelStore.Tests;

[Trait("Category", "BadInput")]
public sealed class BadServerTests
{
    [Fact]
    public async Task A_wrong_digest_leaves_nothing_and_names_file_expected_and_got()
    {
        Content model = MadeUpModel.Create();
        await using PullFixture fixture = await PullFixture.StartAsync();
        string lie = new('a', 64);
        fixture.Hub.PublishInRegistry("tiny", "1b", model, sha256: lie);

        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b"));

        Assert.Contains("1b.gguf", wrong.Message, StringComparison.Ordinal);
        Assert.Contains(lie, wrong.Message, StringComparison.Ordinal);
        Assert.Contains(model.Sha256(), wrong.Message, StringComparison.Ordinal);
        Assert.Empty(fixture.FilesLeft());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(1_000_000_000)]
    public async Task A_wrong_size_is_named(long off)
    {
        Content model = MadeUpModel.Create();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("tiny", "1b", model, size: model.Length + off);
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b"));
        Assert.Contains($"{model.Length + off} bytes are expected", wrong.Message, StringComparison.Ordinal);
        Assert.Contains($"has {model.Length}", wrong.Message, StringComparison.Ordinal);
        Assert.Empty(fixture.FilesLeft());
    }

    [Theory]
    [InlineData("text/html", "<html>Please log in</html>")]
    [InlineData("application/octet-stream", "<!doctype html><html>Please log in</html>")]
    public async Task A_web_page_in_place_of_a_file_is_recognised(string type, string page)
    {
        Content html = new(Encoding.UTF8.GetBytes(page));
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("tiny", "1b", html);
        fixture.Hub.Headers[fixture.Hub.Files.Keys.Single()] = new() { ["Content-Type"] = type };
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b"));
        Assert.Contains("web page", wrong.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_server_without_ranges_is_asked_again_from_the_beginning_and_says_so()
    {
        Content model = MadeUpModel.Create(width: 256, feedForward: 512);
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.IgnoresRanges = true;
        fixture.Hub.Cuts.Enqueue(model.Length / 2);
        fixture.Hub.PublishInRegistry("tiny", "1b", model);
        PullResult result = await fixture.PullAsync("tiny:1b");
        Assert.Equal(model.Length, new FileInfo(result.Path).Length);
        Assert.Contains("sends whole files only; starting from the beginning", fixture.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocks_from_a_server_without_ranges_come_whole_and_it_is_said()
    {
        Content model = MadeUpModel.Create();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.IgnoresRanges = true;
        fixture.Hub.PublishInRegistry("tiny", "1b", model);
        PullResult result = await fixture.PullAsync("tiny:1b", "0-1");
        Assert.Null(result.Blocks);
        Assert.Contains("pulling tiny:1b whole", fixture.Said, StringComparison.Ordinal);
        Assert.EndsWith("1b.gguf", result.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_that_pass_are_waited_out()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        foreach (int status in new[] { 429, 503 }) fixture.Hub.Refusals.Enqueue(status);
        fixture.Hub.PublishInRegistry("tiny", "1b", MadeUpModel.Create());
        Assert.False((await fixture.PullAsync("tiny:1b")).WasThere);
        Assert.Contains("429", fixture.Said, StringComparison.Ordinal);
        Assert.Contains("503", fixture.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_that_stay_end_after_a_bounded_number_of_tries()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        for (int i = 0; i < 50; i++) fixture.Hub.Refusals.Enqueue(503);
        fixture.Hub.PublishInRegistry("tiny", "1b", MadeUpModel.Create());
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b"));
        Assert.Contains("given up after 4 tries", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(46, fixture.Hub.Refusals.Count);
    }

    [Fact]
    public async Task A_connection_that_brings_nothing_counts_as_cut()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        // A busy machine may itself be silent for longer than that: then there are more tries, and they too go on.
        fixture.Change = options => (options.StallSeconds, options.Retries) = (0.5, 50);
        fixture.Hub.Stalls = true;
        fixture.Hub.PublishInRegistry("tiny", "1b", MadeUpModel.Create(width: 256, feedForward: 512));
        PullResult result = await fixture.PullAsync("tiny:1b");
        Assert.InRange(fixture.Hub.Requests.Count(request => request.Path.Contains("/blobs/", StringComparison.Ordinal)), 2, 51);
        Assert.True(File.Exists(result.Path));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("not json")]
    [InlineData("""{"layers":[null]}""")]
    [InlineData("""{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../etc/passwd","size":5}]}""")]
    [InlineData("""{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"md5:00","size":-5}]}""")]
    [InlineData("""{"layers":[{"mediaType":7,"digest":"x","size":"y"}]}""")]
    public async Task A_manifest_that_cannot_be_is_refused(string manifest)
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.Texts["/v2/library/tiny/manifests/latest"] = manifest;
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny"));
        Assert.Contains("manifest of tiny:latest cannot be read", wrong.Message, StringComparison.Ordinal);
        Assert.Empty(fixture.FilesLeft());
    }

    [Fact]
    public async Task An_unknown_name_is_answered_with_the_name_and_what_to_try()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("lama"));
        Assert.Contains("'lama:latest'", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("without a tag", wrong.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_that_never_ends_is_left()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("tiny", "1b", MadeUpModel.Create());
        string blob = fixture.Hub.Files.Keys.Single();
        fixture.Hub.Redirects[blob] = blob;
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b"));
        Assert.Contains("redirects more than", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_said_before_the_first_byte_with_both_numbers()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.FreeSpace = _ => 70L << 20;
        fixture.Hub.PublishInRegistry("huge", "70b", new Content([0], 40L << 30), sha256: new string('b', 64));
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("huge:70b"));
        Assert.Contains("40 GiB", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("70 MiB are free", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(0, fixture.Hub.Sent);
        Assert.Empty(fixture.FilesLeft());
    }
}
