using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>A tensor on its way from a source into a file of some blocks.</summary>
/// <param name="Source">Where it lies in the source.</param>
/// <param name="Target">Where it goes, in bytes from the start of the file.</param>
/// <param name="Padded">Its bytes with the padding behind it.</param>
internal sealed record PartTensor(GgufTensorPlace Source, long Target, long Padded);
