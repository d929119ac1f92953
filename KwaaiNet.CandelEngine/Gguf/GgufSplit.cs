using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>Opens the other parts of a split model, and checks that they belong together.</summary>
internal static class GgufSplit
{
    private const string NumberKey = "split.no";
    private const string TensorsKey = "split.tensors.count";

    // Names of files missing that one message lists.
    private const int Listed = 4;

    /// <summary>Opens the whole model that a part belongs to.</summary>
    /// <param name="opened">Any part. It belongs to the result; after an exception it is still the caller's, and closed.</param>
    /// <exception cref="ModelFormatException">A part is missing, misnamed, or of another model.</exception>
    public static GgufFile Open(GgufFile opened)
    {
        GgufPartName name = NameOf(opened);
        RefuseMissing(opened, name);
        var parts = new GgufFile?[name.Count];
        parts[name.Number - 1] = opened;
        try
        {
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i] ??= GgufFile.OpenOne(name.PathOf(i + 1));
                RefuseForeign(parts[i]!, parts[0]!, i, name.Count);
            }

            RefuseOtherTensorCount(parts!);
            return GgufFile.Join(parts!);
        }
        catch
        {
            foreach (GgufFile? part in parts)
                part?.Dispose();
            throw;
        }
    }

    private static GgufPartName NameOf(GgufFile part)
    {
        int? number = part.Metadata.GetInt32(NumberKey) + 1;
        int? count = part.Metadata.GetInt32(GgufFile.SplitCountKey);
        GgufPartName? name = GgufPartName.Parse(part.Path);
        if (name is null || name.Number != number || name.Count != count)
        {
            throw part.Metadata.Problem(
                $"one of {count} parts of a split model, number {number?.ToString() ?? "unknown"}, which its name does not say: the others cannot be found. "
                + $"Give the parts their names again, ending in -{number ?? 1:D5}-of-{count:D5}.gguf, in one folder.");
        }

        return name;
    }

    private static void RefuseMissing(GgufFile part, GgufPartName name)
    {
        List<string> missing = [];
        int count = 0;
        for (int number = 1; number <= name.Count; number++)
        {
            string path = name.PathOf(number);
            if (number == name.Number || File.Exists(path))
                continue;
            if (++count <= Listed)
                missing.Add(Path.GetFileName(path));
        }

        if (count > 0)
        {
            throw part.Metadata.Problem(
                $"{count} of the model's {name.Count} parts are missing: {string.Join(", ", missing)}{(count > Listed ? ", …" : "")}. Download them into the same folder.");
        }
    }

    // Parts share no identity, so what they all say is compared: place and count, and what the model is where a part repeats it.
    private static void RefuseForeign(GgufFile part, GgufFile first, int index, int count)
    {
        if (part.Metadata.GetInt32(NumberKey) != index || part.Metadata.GetInt32(GgufFile.SplitCountKey) != count)
            throw part.Metadata.Problem($"not part {index + 1} of {count}, as its name says, but of another model. Download it again.");
        if (part.Metadata.GetInt32(TensorsKey) != first.Metadata.GetInt32(TensorsKey))
            throw Foreign(part, first, $"its model has {part.Metadata.GetInt32(TensorsKey)} tensors and that of part 1 {first.Metadata.GetInt32(TensorsKey)}");
        foreach (string key in (ReadOnlySpan<string>)["general.architecture", "general.name"])
        {
            if (part.Metadata.GetString(key) is { } said && said != first.Metadata.GetString(key))
                throw Foreign(part, first, $"its '{key}' is '{said}' and that of part 1 '{first.Metadata.GetString(key)}'");
        }
    }

    private static void RefuseOtherTensorCount(GgufFile[] parts)
    {
        int tensors = parts.Sum(part => part.TensorNames.Count);
        if (parts[0].Metadata.GetInt32(TensorsKey) is { } said && said != tensors)
            throw parts[0].Metadata.Problem($"the model's {parts.Length} parts hold {tensors} tensors, and it says it has {said}: a part is of another model. Download all parts again.");
    }

    private static ModelFormatException Foreign(GgufFile part, GgufFile first, string why) =>
        part.Metadata.Problem($"not a part of the same model as {Path.GetFileName(first.Path)}: {why}. Download it again.");
}
