namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;

/// <summary>What activations are brought to before they are multiplied.</summary>
internal enum ActivationKind
{
    /// <summary>Left as float32: for float weights.</summary>
    Single,

    /// <summary>8-bit integers, −127 to 127, with a float scale for 32 columns: for weights of up to 6 bits.</summary>
    Bytes,

    /// <summary>16-bit integers, −32,767 to 32,767, with a float scale for 32 columns: for weights of 8 bits.</summary>
    Shorts,
}
