namespace KwaaiNet.Cli.Models;

/// <summary>A model file on this machine.</summary>
/// <param name="Name">The name apps ask for.</param>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Blocks">Its transformer blocks; null when the file cannot be read.</param>
/// <param name="WeightFormat">How its weights are stored: <c>Q8_0</c>; null when the file cannot be read.</param>
/// <param name="ContextLength">Positions it was made for; null when the file cannot be read.</param>
/// <param name="Problem">Why the file cannot be served; null when it can.</param>
internal sealed record LocalModel(
    string Name, string Path, long Bytes, int? Blocks, string? WeightFormat, int? ContextLength, string? Problem);
