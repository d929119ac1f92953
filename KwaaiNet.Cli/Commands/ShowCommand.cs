using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.Cli.Models;
using KwaaiNet.Cli.Output;
using KwaaiNet.ModelStore.Local;
using Spectre.Console;

namespace KwaaiNet.Cli.Commands;

/// <summary><c>kwaainet show NAME</c>: what a model file says about itself.</summary>
internal static class ShowCommand
{
    // A licence or a template would bury the rest.
    private const int MostValueLength = 100;

    private const string TemplateKey = "tokenizer.chat_template";

    public static Command Create(CommandContext context)
    {
        Argument<string> name = new("name") { Description = "A model's name, as 'models' shows it, or a file." };
        Option<bool> tensors = new("--tensors") { Description = "List the tensors." };
        Option<bool> template = new("--template") { Description = "Print the chat template, and nothing else." };
        Option<bool> json = new("--json") { Description = "For programs." };
        Command command = new("show", "Show what a model file says about itself.") { name, tensors, template, json };
        command.SetReading(context, (parsed, _) =>
            Run(context, parsed.GetValue(name)!, parsed.GetValue(tensors), parsed.GetValue(template), parsed.GetValue(json)));
        return command;
    }

    internal static int Run(CommandContext context, string name, bool tensors, bool template, bool json)
    {
        CatalogModel model = StoredModel.Find(context.Home, name);
        try
        {
            using GgufFile? file = model.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? GgufFile.Open(model.Path) : null;
            if (template) PrintTemplate(context.Terminal, model, file);
            else if (json) context.Terminal.Line(JsonSerializer.Serialize(Describe(model, file, tensors), CommandJson.Options));
            else Print(context.Terminal, model, file, tensors);
            return ExitCode.Success;
        }
        catch (Exception exception) when (exception is ModelFormatException or IOException)
        {
            throw new CommandFailure(exception.Message, "take another conversion of the model.");
        }
    }

    private static void PrintTemplate(Terminal terminal, CatalogModel model, GgufFile? file) => terminal.Line(
        (file is null ? OfFolder(model.Path).Template : file.Metadata.GetString(TemplateKey))
        ?? throw new CommandFailure(
            $"{model.Name} has no chat template: it is a base model, or its conversion left it out.",
            "use it for completions, or take another conversion."));

    // In tokenizer_config.json, chat_template.jinja and generation_config.json.
    private static (string? Template, RecommendedSampling Sampling) OfFolder(string path)
    {
        using ModelFile folder = ModelFile.Open(path);
        return (folder.ChatTemplate?.Source, folder.RecommendedSampling);
    }

    private static object Describe(CatalogModel model, GgufFile? file, bool tensors)
    {
        (ModelShape? shape, string? weights, string? problem) = Open(model.Path);
        return new
        {
            model.Name,
            model.Path,
            Bytes = model.FileBytes,
            Parts = ModelPath.Parts(model.Path),
            Shape = shape,
            Weights = weights,
            Problem = problem,
            Card = ModelCard.Read(model.Path),
            Holds = file is null ? null : GgufPart.Read(file)?.Blocks,
            Metadata = file?.Metadata.Keys.ToDictionary(key => key, key => file.Metadata.TryGetValue(key, out GgufValue value) ? value.ToString() : ""),
            Tensors = tensors ? Tensors(model, file) : null,
        };
    }

    private static void Print(Terminal terminal, CatalogModel model, GgufFile? file, bool tensors)
    {
        (ModelShape? shape, string? weights, string? problem) = Open(model.Path);
        ModelCard? card = ModelCard.Read(model.Path);
        terminal.Line(model.Name);
        Fact("file", model.Path);
        Fact("size", ModelPath.Parts(model.Path) is > 1 and int parts ? $"{ByteSize.Of(model.FileBytes)} in {parts} parts" : ByteSize.Of(model.FileBytes));
        Fact("source", card?.Source);
        Fact("sha-256", card?.Sha256);
        Fact("holds", file is null ? null : GgufPart.Read(file)?.Blocks);
        Fact("architecture", shape?.Architecture);
        Fact("weights", weights);
        Fact("blocks", Number(shape?.BlockCount));
        Fact("width", Number(shape?.Width));
        Fact("heads", shape is null ? null : $"{shape.HeadCount}, {shape.KvHeadCount} for keys and values, {shape.HeadSize} numbers each");
        Fact("context", Number(shape?.ContextLength));
        Fact("vocabulary", Number(shape?.VocabularySize));
        (string? template, RecommendedSampling recommended) = file is null && problem is null ? OfFolder(model.Path) : (null, RecommendedSampling.None);
        Fact("template", file?.Metadata.Contains(TemplateKey) == true || template is not null ? "the model's own (--template prints it)" : "none");
        Fact("sampling", file is null ? Sampling(recommended) : Sampling(file));
        Fact("published", card?.Parameters is { Count: > 0 } parameters ? $"{string.Join(", ", parameters.Select(pair => $"{pair.Key} {pair.Value?.ToJsonString()}"))} (the registry's settings; not applied)" : null);
        Fact("system", card?.System);
        if (problem is not null) terminal.Warning($"It cannot be served: {problem}");
        if (file is not null) PrintMetadata(terminal, file.Metadata);
        terminal.Line();
        IReadOnlyList<Row> rows = Tensors(model, file);
        if (tensors) PrintTensors(terminal, rows);
        else terminal.Line($"{rows.Count} tensors (--tensors lists them).");

        void Fact(string what, string? value)
        {
            if (!string.IsNullOrEmpty(value)) terminal.Line($"  {what,-13} {OneLine(value)}");
        }
    }

    private static void PrintMetadata(Terminal terminal, GgufMetadata metadata)
    {
        terminal.Line();
        terminal.Line("metadata");
        foreach (string key in metadata.Keys)
        {
            metadata.TryGetValue(key, out GgufValue value);
            terminal.Line($"  {key} = {OneLine(value.ToString())}");
        }
    }

    private static void PrintTensors(Terminal terminal, IReadOnlyList<Row> rows)
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumns("tensor", "type", "rows", "columns", "size");
        foreach (Row row in rows)
        {
            string[] cells = [row.Name, row.Type, Number(row.Rows)!, Number(row.Columns)!, ByteSize.Of(row.Bytes)];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        terminal.Table(table);
    }

    private static IReadOnlyList<Row> Tensors(CatalogModel model, GgufFile? file)
    {
        if (file is not null) return [.. file.TensorNames.Select(name => file.TryGetTensor(name, out TensorData tensor) ? Row.Of(tensor) : default)];
        using ModelFile folder = ModelFile.Open(model.Path);
        return [.. folder.TensorNames.Select(name => folder.TryGetTensor(name, out TensorData tensor) ? Row.Of(tensor) : default)];
    }

    private static string Sampling(GgufFile file)
    {
        const string Prefix = "general.sampling.";
        return string.Join(", ", file.Metadata.Keys.Where(key => key.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(key => $"{key[Prefix.Length..]} {(file.Metadata.TryGetValue(key, out GgufValue value) ? value.ToString() : "")}"));
    }

    private static string Sampling(RecommendedSampling sampling)
    {
        (string Name, float? Value)[] values =
            [("temp", sampling.Temperature), ("top_k", sampling.TopK), ("top_p", sampling.TopP), ("min_p", sampling.MinP), ("typical_p", sampling.TypicalP), ("penalty_repeat", sampling.RepetitionPenalty)];
        return string.Join(", ", values.Where(value => value.Value is not null).Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Name} {value.Value}")));
    }

    private static (ModelShape? Shape, string? Weights, string? Problem) Open(string path)
    {
        try
        {
            using ModelFile file = ModelFile.Open(path);
            return (file.Shape, file.WeightFormat, null);
        }
        catch (Exception exception) when (exception is ModelFormatException or IOException)
        {
            return (null, null, exception.Message);
        }
    }

    private static string? Number(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string OneLine(string text)
    {
        string line = string.Concat(text.ReplaceLineEndings(" ").Where(c => !char.IsControl(c)));
        return line.Length <= MostValueLength ? line : $"{line[..MostValueLength]}… ({text.Length} characters)";
    }

    /// <summary>A tensor's line, good after its file is closed.</summary>
    private readonly record struct Row(string Name, string Type, int Rows, int Columns, long Bytes)
    {
        public static Row Of(TensorData tensor) => new(tensor.Name, tensor.Type.ToString(), tensor.Rows, tensor.Columns, tensor.ByteLength);
    }
}
