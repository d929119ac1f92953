using System.Globalization;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Models.Architectures;

/// <summary>Reads an architecture's constants from metadata, each within bounds that no real model exceeds.</summary>
/// <param name="metadata">The file's metadata.</param>
/// <param name="prefix">The architecture's name, which starts its keys.</param>
internal readonly struct ShapeReader(GgufMetadata metadata, string prefix)
{
    /// <summary>Whether the file has the key.</summary>
    public bool Has(string key) => metadata.Contains($"{prefix}.{key}");

    /// <summary>A string, or null.</summary>
    public string? Text(string key) => metadata.GetString($"{prefix}.{key}");

    /// <summary>A truth value, or its default.</summary>
    public bool Flag(string key, bool otherwise) => metadata.GetBool($"{prefix}.{key}") ?? otherwise;

    /// <summary>A truth value for each of so many blocks, or null when the key is not there or is no array.</summary>
    public bool[]? FlagArray(string key, int length)
    {
        string full = $"{prefix}.{key}";
        if (!metadata.TryGetValue(full, out GgufValue value) || value.AsArray() is not { } array)
            return null;
        Require(array.Count == length, $"'{full}' has {array.Count} entries for {length} blocks");
        return array.ToBooleans();
    }

    /// <summary>An integer that must be there, or has a default.</summary>
    public int Integer(string key, int minimum, int maximum, int? otherwise = null)
    {
        string full = $"{prefix}.{key}";
        int? value = metadata.GetInt32(full) ?? otherwise;
        if (value is null)
            metadata.ThrowMissing(full);
        if (value < minimum || value > maximum)
            throw metadata.Problem($"'{full}' is {value}; it must be from {minimum} to {maximum}. The file is damaged or was written wrongly: download it again.");
        return value.Value;
    }

    /// <summary>A number that must be there, or has a default.</summary>
    public float Number(string key, float minimum, float maximum, float? otherwise = null)
    {
        string full = $"{prefix}.{key}";
        float? value = metadata.GetSingle(full) ?? otherwise;
        if (value is null)
            metadata.ThrowMissing(full);
        if (!(value >= minimum && value <= maximum))
        {
            throw metadata.Problem(string.Create(
                CultureInfo.InvariantCulture,
                $"'{full}' is {value}; it must be from {minimum} to {maximum}. The file is damaged or was written wrongly: download it again."));
        }

        return value.Value;
    }

    /// <summary>Says that two dimensions do not go together.</summary>
    public void Require(bool holds, string problem)
    {
        if (!holds)
            throw metadata.Problem($"{problem}. The file is damaged or was written wrongly: download it again.");
    }

    /// <summary>Says that the model uses something this engine does not run yet.</summary>
    public void RefuseFeature(bool used, string feature)
    {
        if (used)
            throw metadata.Problem($"the model uses {feature}, which this engine does not run yet. Take a model without it.");
    }
}
