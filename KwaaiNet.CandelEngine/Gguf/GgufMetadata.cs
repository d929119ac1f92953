using System.Diagnostics.CodeAnalysis;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>What a GGUF file says about itself: typed values by key, such as <c>llama.block_count</c>.</summary>
public sealed class GgufMetadata
{
    private readonly string _path;
    private readonly Dictionary<string, GgufValue> _values;

    internal GgufMetadata(string path, Dictionary<string, GgufValue> values)
    {
        _path = path;
        _values = values;
    }

    /// <summary>All keys, in file order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Looks a value up.</summary>
    public bool TryGetValue(string key, out GgufValue value) => _values.TryGetValue(key, out value);

    /// <summary>Whether the key is there.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>A string, or null when the key is not there.</summary>
    /// <exception cref="ModelFormatException">The value is no string.</exception>
    public string? GetString(string key) => Get(key, out GgufValue value) ? value.AsString() ?? throw value.WrongType(_path, key, "a string") : null;

    /// <summary>A truth value, or null when the key is not there.</summary>
    /// <exception cref="ModelFormatException">The value is no truth value.</exception>
    public bool? GetBool(string key) => Get(key, out GgufValue value) ? value.AsBool() ?? throw value.WrongType(_path, key, "true or false") : null;

    /// <summary>An integer from 0 to 2^31 − 1, or null when the key is not there.</summary>
    /// <exception cref="ModelFormatException">The value is no integer, or out of that range.</exception>
    public int? GetInt32(string key)
    {
        if (!Get(key, out GgufValue value))
            return null;
        return value.AsInteger() is >= 0 and <= int.MaxValue and long number ? (int)number : throw value.WrongType(_path, key, "one integer from 0 to 2^31 - 1");
    }

    /// <summary>A finite number, or null when the key is not there.</summary>
    /// <exception cref="ModelFormatException">The value is no number, or not finite as float32.</exception>
    public float? GetSingle(string key)
    {
        if (!Get(key, out GgufValue value))
            return null;
        return value.AsNumber() is double number && float.IsFinite((float)number) ? (float)number : throw value.WrongType(_path, key, "a finite number");
    }

    /// <summary>An array, or null when the key is not there.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public GgufArray? GetArray(string key) => Get(key, out GgufValue value) ? value.AsArray() ?? throw value.WrongType(_path, key, "an array") : null;

    /// <summary>The exception for something the file says that cannot be: names the file.</summary>
    internal ModelFormatException Problem(string problem) => new($"{_path}: {problem}");

    [DoesNotReturn]
    internal void ThrowMissing(string key) =>
        throw Problem($"the metadata value '{key}' is missing. The file was written wrongly: take another conversion of the model.");

    private bool Get(string key, out GgufValue value) => _values.TryGetValue(key, out value);
}
