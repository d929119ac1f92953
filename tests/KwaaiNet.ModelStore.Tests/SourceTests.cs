using System.Net.Sockets;
using System.Text;
using KwaaiNet.ModelStore.Local;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.References;
using KwaaiNet.ModelStore.Tests.Fakes;

namespace KwaaiNet.ModelStore.Tests;

public sealed class SourceTests
{
    [Theory]
    [InlineData("llama3.1:8b", "llama3.1/8b", "llama3.1:8b")]
    [InlineData("llama3.1", "llama3.1/latest", "llama3.1:latest")]
    [InlineData("user/name:tag", "user/name/tag", "user/name:tag")]
    [InlineData("registry.example:5000/ns/name:tag", "registry.example_5000_ns/name/tag", "registry.example:5000/ns/name:tag")]
    [InlineData("http://localhost:5000/ns/name", "localhost_5000_ns/name/latest", "http://localhost:5000/ns/name:latest")]
    [InlineData("hf:owner/repo/folder/file.gguf@v2", "owner/repo/file", "hf:owner/repo/folder/file.gguf@v2")]
    [InlineData("hf:owner/repo:Q4_K_M", "owner/repo", "hf:owner/repo:Q4_K_M")]
    [InlineData("hf:owner/repo", "owner/repo", "hf:owner/repo")]
    public void A_name_says_where_a_model_comes_from_and_where_it_is_kept(string text, string kept, string shown)
    {
        ModelReference reference = ModelReference.Parse(text);
        Assert.Equal(kept, reference.LocalName);
        Assert.Equal(shown, reference.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("../etc/passwd")]
    [InlineData("a/../b:c")]
    [InlineData("llama3.1:..")]
    [InlineData("hf:")]
    [InlineData("hf:owner")]
    [InlineData("hf:owner/repo/../../x.gguf")]
    [InlineData("hf:../repo/x.gguf")]
    [InlineData("a b:c")]
    [InlineData("name:tag:tag")]
    [InlineData("registry.example:99999/ns/name:tag")]
    [Trait("Category", "BadInput")]
    public void What_is_no_name_or_climbs_out_of_the_folder_is_refused(string text) => Assert.Throws<ModelStoreException>(() => ModelReference.Parse(text));

    [Theory]
    [InlineData("registry.example")]
    [InlineData("http://")]
    [InlineData("ftp://registry.example")]
    [InlineData("http://registry.example:99999")]
    [Trait("Category", "BadInput")]
    public void An_address_that_is_none_is_named(string address)
    {
        ModelStoreException wrong = Assert.Throws<ModelStoreException>(() => new ModelPuller(new ModelStoreOptions { Registry = address }, TimeProvider.System));
        Assert.Contains("http or https address", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registrys_settings_are_kept_beside_the_file()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("someone/tiny", "1b", MadeUpModel.Create(), texts:
        [
            ("params", """{"temperature":0.6,"stop":["<|eot_id|>"]}"""), ("template", "{{ .Prompt }}"), ("system", "Be kind."), ("license", "MIT"), ("projector", "images"),
        ]);
        PullResult result = await fixture.PullAsync("someone/tiny:1b");
        ModelCard card = ModelCard.Read(result.Path)!;
        Assert.Equal("someone/tiny:1b", card.Source);
        Assert.Equal(0.6, card.Parameters!["temperature"]!.GetValue<double>());
        Assert.Equal(("{{ .Prompt }}", "Be kind.", "MIT"), (card.Template, card.System, card.License));
        Assert.Contains("projector", fixture.Said, StringComparison.Ordinal);
        Assert.Equal("someone:tiny:1b", result.LocalName);
    }

    [Theory]
    [InlineData(404, "has no model 'gone:latest'")]
    [InlineData(410, "has no model 'gone:latest'")]
    [InlineData(403, "does not give manifest of gone:latest to strangers")]
    public async Task A_registry_that_has_no_such_model_is_known_by_its_status(int status, string expected)
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.Statuses["/v2/library/gone/manifests/latest"] = status;
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("gone"));
        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
        Assert.Equal(status, (int)((wrong.InnerException as ModelStoreException ?? wrong).Status!));
    }

    [Fact]
    public async Task A_list_of_digests_that_is_no_regular_file_is_refused_by_its_path()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no sockets among its files.");
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("tiny", "1b", MadeUpModel.Create());
        string path = Path.Combine(fixture.Folder, "s.json");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("tiny:1b", "0-1", path));
        Assert.StartsWith(path, wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("adapter", "adapter (LoRA)")]
    [InlineData("model", "2 model layers")]
    public async Task A_model_that_cannot_be_run_from_one_file_is_refused(string layer, string expected)
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInRegistry("odd", "latest", MadeUpModel.Create(), texts: [(layer, "more")]);
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("odd"));
        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_hub_comes_over_its_redirect_and_is_verified_by_the_hubs_digest()
    {
        Content model = MadeUpModel.Create();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInHub("owner/repo", ("m-Q4_0.gguf", model, true), ("m-Q8_0.gguf", MadeUpModel.Create(seed: 2), true), ("README.md", new Content("hello"u8.ToArray()), false));
        PullResult result = await fixture.PullAsync("hf:owner/repo:q4_0");
        Assert.Equal(model.Sha256(), result.Files[0].Sha256);
        Assert.Equal(Path.Combine(fixture.Folder, "owner", "repo", "m-Q4_0.gguf"), result.Path);
        Assert.True((await fixture.PullAsync("hf:owner/repo/m-Q4_0.gguf")).WasThere);
        PullResult part = await fixture.PullAsync("hf:owner/repo/m-Q8_0.gguf", "1-2");
        Assert.Equal("1-2", part.Blocks);
    }

    [Fact]
    public async Task A_hub_without_lists_is_believed_by_the_headers_of_its_redirect()
    {
        Content model = MadeUpModel.Create();
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInHub("owner/repo", ("m.gguf", model, true));
        fixture.Hub.Texts.Clear();
        model.WrongByte = model.Length - 5;
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("hf:owner/repo/m.gguf"));
        Assert.Contains("is not the file its publisher names", wrong.Message, StringComparison.Ordinal);
        model.WrongByte = null;
        Assert.True((await fixture.PullAsync("hf:owner/repo/m.gguf")).Files[0].IsVerified);
    }

    [Fact]
    public async Task A_quantisation_that_fits_several_files_lists_them()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInHub("owner/repo", ("m-Q4_K_M.gguf", MadeUpModel.Create(), true), ("m-Q4_K_S.gguf", MadeUpModel.Create(seed: 2), true));
        ModelStoreException many = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("hf:owner/repo:Q4_K"));
        Assert.Contains("hf:owner/repo/m-Q4_K_M.gguf, hf:owner/repo/m-Q4_K_S.gguf", many.Remedy, StringComparison.Ordinal);
        ModelStoreException none = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("hf:owner/repo:Q8_0"));
        Assert.Contains("m-Q4_K_M.gguf", none.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_parts_of_a_split_file_come()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInHub(
            "owner/repo", ("Q8/m-00001-of-00002.gguf", MadeUpModel.Create(), true), ("Q8/m-00002-of-00002.gguf", MadeUpModel.Create(seed: 2), true), ("m-Q4_0.gguf", MadeUpModel.Create(seed: 3), true));
        PullResult result = await fixture.PullAsync("hf:owner/repo/Q8/m-00001-of-00002.gguf");
        Assert.Equal(["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"], result.Files.Select(file => Path.GetFileName(file.Path)));
        Assert.Equal(Path.GetDirectoryName(result.Files[0].Path), Path.GetDirectoryName(result.Files[1].Path));
        long freed = ModelRemoval.Remove(fixture.Folder, result.Path);
        Assert.True(freed > result.PublishedBytes);
        Assert.Empty(fixture.FilesLeft());
    }

    [Fact]
    public async Task A_repository_of_safetensors_comes_as_a_folder_each_file_verified()
    {
        Content config = new(Encoding.UTF8.GetBytes("""{"model_type":"llama"}"""));
        await using PullFixture fixture = await PullFixture.StartAsync();
        fixture.Hub.PublishInHub(
            "owner/repo", ("config.json", config, false), ("tokenizer.json", new Content("{}"u8.ToArray()), false), ("model.safetensors", new Content([1, 2, 3], 5000), true), ("notes.txt", new Content([1]), false));
        PullResult result = await fixture.PullAsync("hf:owner/repo");
        Assert.Equal(["owner/repo/config.json", "owner/repo/kwaainet.card.json", "owner/repo/model.safetensors", "owner/repo/tokenizer.json"], fixture.FilesLeft());
        Assert.All(result.Files, file => Assert.True(file.IsVerified));

        ModelRemoval.Remove(fixture.Folder, result.Path);
        config.WrongByte = 3;
        ModelStoreException wrong = await Assert.ThrowsAsync<ModelStoreException>(() => fixture.PullAsync("hf:owner/repo"));
        Assert.Contains("config.json", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_goes_to_its_host_and_no_other()
    {
        await using PullFixture fixture = await PullFixture.StartAsync();
        await using FakeHub elsewhere = await FakeHub.StartAsync();
        fixture.Change = options => options.HuggingFaceToken = "hf_secret";
        Content model = MadeUpModel.Create();
        fixture.Hub.PublishInHub("owner/repo", ("m.gguf", model, true));
        elsewhere.Files["/there"] = model;
        fixture.Hub.Redirects["/owner/repo/resolve/main/m.gguf"] = $"{elsewhere.Address}/there";
        await fixture.PullAsync("hf:owner/repo/m.gguf");
        Assert.All(fixture.Hub.Requests, request => Assert.Equal("Bearer hf_secret", request.Authorization));
        Assert.All(elsewhere.Requests, request => Assert.True(string.IsNullOrEmpty(request.Authorization)));
        Assert.NotEmpty(elsewhere.Requests);
    }

    [Fact]
    public void A_wrong_setting_is_named()
    {
        ModelStoreException wrong = Assert.Throws<ModelStoreException>(() => new ModelPuller(new ModelStoreOptions { Registry = "nonsense", Retries = -1 }, TimeProvider.System));
        Assert.Contains("ModelStore:Registry", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("Retries", wrong.Message, StringComparison.Ordinal);
    }
}
