using System.Net.Sockets;
using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Tests.Files;

/// <summary>What is no regular file is refused at once, whichever reader is asked for it.</summary>
public sealed partial class RegularFileTests : IDisposable
{
    // Opening a pipe that nobody writes to would not come back.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.gguf")]
    [InlineData("model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    public async Task A_pipe_is_no_model(string name)
    {
        string path = Pipe(name);
        Assert.StartsWith(path, await Refusal(() => ModelFile.Open(path).Dispose()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_to_a_pipe_is_no_model()
    {
        string link = Path.Combine(_folder.Path, "link.gguf");
        File.CreateSymbolicLink(link, Pipe("pipe"));
        Assert.StartsWith(link, await Refusal(() => ModelFile.Open(link).Dispose()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("chat_template.jinja")]
    [InlineData("tokenizer.json")]
    public async Task A_pipe_in_a_models_folder_is_none_of_its_files(string name)
    {
        string folder = Safetensors.PublishedModels.Make("llama").Folder(_folder, "model");
        File.Delete(Path.Combine(folder, name));
        string path = Pipe("model/" + name);
        string message = await Refusal(() =>
        {
            using ModelFile model = ModelFile.Open(folder);
            _ = model.ChatTemplate;
            _ = model.Tokenizer;
        });
        Assert.StartsWith(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_and_a_device_are_no_models()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has neither among its files.");
        string path = Path.Combine(_folder.Path, "s.gguf");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        Assert.Contains(path, await Refusal(() => ModelFile.Open(path).Dispose()), StringComparison.Ordinal);
        Assert.Contains("/dev/zero", await Refusal(() => GgufModelFile.Open("/dev/zero").Dispose()), StringComparison.Ordinal);
        Assert.Contains("/dev/null", await Refusal(() => HuggingFaceTokenizer.Open("/dev/null", new TokenizerNotes())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_in_a_files_place_and_an_empty_file_are_no_models()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "folder.gguf")).FullName;
        Assert.StartsWith($"{folder}: this is a folder", await Refusal(() => GgufModelFile.Open(folder).Dispose()), StringComparison.Ordinal);
        string empty = _folder.Write("empty.gguf", []);
        Assert.StartsWith($"{empty}: there are no bytes", await Refusal(() => ModelFile.Open(empty).Dispose()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_a_model_is_one()
    {
        string link = Path.Combine(_folder.Path, "link.gguf");
        try
        {
            File.CreateSymbolicLink(link, _folder.Write("blob", Gguf.SmallModel.Build()));
        }
        catch (IOException e) when (OperatingSystem.IsWindows())
        {
            Assert.Skip($"Windows gives no right to make links here: {e.Message}");
        }

        using ModelFile model = ModelFile.Open(link);
        Assert.Equal("Small", model.Name);
    }

    private static async Task<string> Refusal(Action open) =>
        (await Assert.ThrowsAsync<ModelFormatException>(() => Task.Run(open).WaitAsync(s_patience, TestContext.Current.CancellationToken))).Message;

    private string Pipe(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes among its files.");
        string path = Path.Combine(_folder.Path, name);
        Assert.Equal(0, MakePipe(path, 0x180)); // 0600
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
