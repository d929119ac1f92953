using System.Text.Json;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Pulling;

namespace KwaaiNet.Cli.Tests;

/// <summary>pull, show, models, rm and import, from what is typed to what is written.</summary>
public sealed class ModelCommandTests
{
    [Fact]
    public async Task A_model_is_pulled_shown_listed_and_removed_by_the_name_it_was_asked_for()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        Assert.Equal(0, await PullAsync(terminal, registry, "tiny"));
        Assert.Contains("tiny:latest is here", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("every file's digest is the one its publisher names", terminal.Output, StringComparison.Ordinal);

        Assert.Equal(0, await PullAsync(terminal, registry, "tiny"));
        Assert.Contains("is here already, unchanged", terminal.Output, StringComparison.Ordinal);

        Assert.Equal(0, ShowCommand.Run(terminal.Context, "tiny", tensors: true, template: false, json: false));
        foreach (string expected in new[] { "temperature 0.7", "llama.block_count = 2", "blk.1.ffn_up.weight", "architecture  llama" })
            Assert.Contains(expected, terminal.Output, StringComparison.Ordinal);

        LocalModel listed = LocalModels.List(terminal.Context.Home).Single(model => model.Name == "tiny:latest");
        Assert.Equal(("llama", "tiny:latest", null), (listed.Architecture, listed.Source, listed.Held));

        Assert.Equal(0, RmCommand.Run(terminal.Context, "tiny", yes: true));
        Assert.Empty(Directory.EnumerateFiles(terminal.Context.Home.ModelsFolder, "*.gguf*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Blocks_say_what_they_saved_and_cannot_be_served_as_a_whole()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        Assert.Equal(0, await PullAsync(terminal, registry, "tiny", WantedBlocks.Parse("1")));
        Assert.Contains("Blocks 1-1 only", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("saved", terminal.Output, StringComparison.Ordinal);
        CommandFailure failure = Assert.Throws<CommandFailure>(() => LocalModels.Find(terminal.Context.Home, "tiny"));
        Assert.Contains("holds blocks 1-1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("up --pull --model tiny:latest", failure.Remedy, StringComparison.Ordinal);
        Assert.Equal(0, ModelCheck.Run(terminal.Context, TestContext.Current.CancellationToken));

        Assert.Equal(0, await PullAsync(terminal, registry, "tiny", WantedBlocks.None));
        Assert.Equal(0, RmCommand.Run(terminal.Context, "tiny", yes: true));
        Assert.Contains("2 parts of tiny are removed", terminal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(LocalModels.List(terminal.Context.Home), model => model.Held is not null);
    }

    [Fact]
    public async Task A_damaged_file_is_found_by_models_verify()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        await PullAsync(terminal, registry, "tiny");
        string path = Path.Combine(terminal.Context.Home.ModelsFolder, "tiny", "latest.gguf");
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Failure, ModelCheck.Run(terminal.Context, TestContext.Current.CancellationToken));
        Assert.Contains("tiny:latest: DAMAGED", terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_programs_every_line_is_JSON()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        Assert.Equal(0, await PullAsync(terminal, registry, "tiny", json: true));
        JsonElement[] lines = [.. terminal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Contains(lines, line => line.TryGetProperty("stage", out JsonElement stage) && stage.GetString() == "done");
        Assert.Equal("tiny:latest", lines[^1].GetProperty("result").GetProperty("model").GetString());
    }

    [Fact]
    public async Task Nothing_is_removed_without_a_yes()
    {
        using TestTerminal terminal = new(input: "n\n", interactive: true);
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        await PullAsync(terminal, registry, "tiny", json: true);
        Assert.Equal(ExitCode.Failure, RmCommand.Run(terminal.Context, "tiny", yes: false));
        Assert.True(File.Exists(Path.Combine(terminal.Context.Home.ModelsFolder, "tiny", "latest.gguf")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_is_imported_by_copy_or_link(bool link)
    {
        using TestTerminal terminal = new();
        string path = Path.Combine(terminal.Folder, "own.gguf");
        await File.WriteAllBytesAsync(path, SmallModel(), TestContext.Current.CancellationToken);
        List<string> arguments = ["import", path, "--name", "mine:1b"];
        if (link) arguments.Add("--link");
        Assert.Equal(0, await KwaaiNetCommand.RunAsync([.. arguments], terminal.Context));
        LocalModel model = LocalModels.Find(terminal.Context.Home, "mine:1b");
        Assert.Equal(path, model.Source);
        Assert.Equal(1, await KwaaiNetCommand.RunAsync([.. arguments], terminal.Context));
        Assert.Contains("There is a model at", terminal.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path + ".txt.gguf", "no model", TestContext.Current.CancellationToken);
        Assert.Equal(1, await KwaaiNetCommand.RunAsync(["import", path + ".txt.gguf"], terminal.Context));
        Assert.Contains("cannot be served", terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_that_fails_in_the_middle_leaves_nothing_behind()
    {
        using TestTerminal terminal = new();
        string path = Path.Combine(terminal.Folder, "own.gguf");
        await File.WriteAllBytesAsync(path, SmallModel(), TestContext.Current.CancellationToken);
        // The list of digests, which comes last, has no place.
        string inTheWay = Path.Combine(terminal.Context.Home.ModelsFolder, "mine", "1b.gguf.digests.json");
        Directory.CreateDirectory(inTheWay);
        Assert.Equal(1, await KwaaiNetCommand.RunAsync(["import", path, "--name", "mine:1b"], terminal.Context));
        Assert.Contains("cannot be taken in", terminal.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(terminal.Context.Home.ModelsFolder, "*", SearchOption.AllDirectories));
        Directory.Delete(inTheWay);
        Assert.Equal(0, await KwaaiNetCommand.RunAsync(["import", path, "--name", "mine:1b"], terminal.Context));
    }

    [Fact]
    public async Task A_model_that_is_only_alike_is_not_removed_unasked()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        await PullAsync(terminal, registry, "my-tiny:1b");
        CommandFailure failure = Assert.Throws<CommandFailure>(() => RmCommand.Run(terminal.Context, "tiny:1b", yes: true));
        Assert.Contains("rm my-tiny:1b --yes", failure.Remedy, StringComparison.Ordinal);
        Assert.Equal(0, RmCommand.Run(terminal.Context, "My-Tiny:1B", yes: true));
    }

    [Fact]
    public async Task What_a_stopped_pull_left_is_listed_and_can_be_removed()
    {
        using TestTerminal terminal = new();
        string part = Path.Combine(terminal.Context.Home.ModelsFolder, "owner", "repo", "m.gguf.part");
        Directory.CreateDirectory(Path.GetDirectoryName(part)!);
        await File.WriteAllTextAsync(part, "GGUF", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(part + ".json", "{}", TestContext.Current.CancellationToken);
        Assert.Equal(0, await KwaaiNetCommand.RunAsync(["models"], terminal.Context));
        Assert.Contains("owner:repo:m: 6 B of an unfinished pull", terminal.Output, StringComparison.Ordinal);
        Assert.Equal(0, await KwaaiNetCommand.RunAsync(["rm", "hf:owner/repo/m.gguf", "--yes"], terminal.Context));
        Assert.Empty(Directory.EnumerateFileSystemEntries(terminal.Context.Home.ModelsFolder));
    }

    [Fact]
    public async Task A_home_that_is_a_file_is_said_and_not_thrown()
    {
        using TestTerminal terminal = new();
        string path = Path.Combine(terminal.Folder, "own.gguf");
        await File.WriteAllBytesAsync(path, SmallModel(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(terminal.Context.Home.ModelsFolder, "", TestContext.Current.CancellationToken);
        Assert.Equal(1, await KwaaiNetCommand.RunAsync(["import", path], terminal.Context));
        Assert.Contains("KWAAINET_HOME", terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_split_model_goes_by_one_name_with_the_size_of_all_its_parts_whichever_part_is_given(int given)
    {
        using TestTerminal terminal = new();
        string[] paths = [Path.Combine(terminal.Folder, "d-00001-of-00002.gguf"), Path.Combine(terminal.Folder, "d-00002-of-00002.gguf")];
        for (int part = 0; part < paths.Length; part++)
            await File.WriteAllBytesAsync(paths[part], SmallModel(part), TestContext.Current.CancellationToken);
        long bytes = paths.Sum(path => new FileInfo(path).Length);

        Assert.Equal(0, await KwaaiNetCommand.RunAsync(["show", paths[given - 1]], terminal.Context));
        string[] shown = [.. terminal.Output.Split('\n').Select(line => line.Trim())];
        Assert.Equal("d", shown[0]);
        Assert.Contains($"size          {ByteSize.Of(bytes)} in 2 parts", shown);
        LocalModel model = LocalModels.Find(terminal.Context.Home, paths[given - 1]);
        Assert.Equal(("d", bytes, 2), (model.Name, model.Bytes, model.Blocks));
    }

    [Fact]
    public async Task Up_with_pull_gives_the_API_the_header_and_the_shards_the_name()
    {
        using TestTerminal terminal = new();
        await using FakeRegistry registry = await FakeRegistry.StartAsync(SmallModel());
        Dictionary<string, string> settings = new() { ["ModelStore:Registry"] = registry.Address };
        // A model that is only alike does not stand in.
        await PullAsync(terminal, registry, "my-tiny:1b");
        LocalModel model = await PullableModel.FindAsync(terminal.Context.Home, "tiny:1b", settings, TestContext.Current.CancellationToken);
        Network.NetworkPlan plan = Network.NetworkPlan.Create(new Network.NetworkOptions { Shards = 2, Settings = settings, Pull = true }, model);
        Assert.EndsWith("1b.header.gguf", plan.Api.Settings["Api:Models:0:Path"], StringComparison.Ordinal);
        Assert.All(plan.Shards, shard => Assert.Equal(
            ("true", "tiny:1b", registry.Address, false),
            (shard.Settings["Shard:Pull"], shard.Settings["Shard:Model"], shard.Settings["ModelStore:Registry"], shard.Settings.ContainsKey("Shard:ModelPath"))));
    }

    private static Task<int> PullAsync(TestTerminal terminal, FakeRegistry registry, string model, WantedBlocks? blocks = null, bool json = false) =>
        PullCommand.RunAsync(terminal.Context, new PullRequest(model) { Blocks = blocks }, registry.Address, json, TestContext.Current.CancellationToken);

    private static byte[] SmallModel(int? part = null)
    {
        const int Width = 64;
        const int Parts = 2;
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        if (part is { } number)
        {
            writer.Add("split.no", (ushort)number);
            writer.Add("split.count", (ushort)Parts);
            writer.Add("split.tensors.count", 20);
        }

        writer.Add("general.architecture", "llama");
        foreach ((string key, uint value) in new[] { ("block_count", 2u), ("context_length", 64u), ("embedding_length", 64u), ("feed_forward_length", 64u), ("attention.head_count", 2u), ("rope.dimension_count", 32u), ("vocab_size", 8u) })
            writer.Add($"llama.{key}", value);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        string[] names = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"];
        (string Name, long[] Shape)[] tensors =
        [
            ("token_embd.weight", [Width, 8]),
            .. Enumerable.Range(0, 2).SelectMany(block => names.Select(name => ($"blk.{block}.{name}.weight", name.EndsWith("norm", StringComparison.Ordinal) ? new long[] { Width } : [Width, Width]))),
            ("output_norm.weight", [Width]),
        ];
        // Of a split model, as tools make it, the first part has the metadata and no tensor.
        if (part == 0) tensors = [];
        foreach ((string name, long[] shape) in tensors) writer.AddTensor(name, shape, GgmlType.F32);
        foreach ((string name, long[] shape) in tensors) writer.WriteTensor(name, new byte[shape.Aggregate(4L, (a, b) => a * b)]);
        writer.Finish();
        return stream.ToArray();
    }
}
