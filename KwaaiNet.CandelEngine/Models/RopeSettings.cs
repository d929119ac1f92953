namespace KwaaiNet.CandelEngine.Models;

/// <summary>The rotation that a block gives its queries and keys. Blocks of one model may have different ones; equal settings turn by equal angles.</summary>
/// <param name="Base">The base frequency: pair i turns by <c>Base^(−2i / RopeSize)</c> per position before scaling.</param>
/// <param name="Scaling">How frequencies were stretched; null for not at all.</param>
public sealed record RopeSettings(float Base, RopeScaling? Scaling = null);
