using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>
/// How weights of one storage type lie in a <see cref="PackedMatrix"/>: 16 output rows side by side, so that one register holds the
/// same columns of neighbouring rows. Packing moves bits and changes no number.
/// </summary>
internal unsafe interface IPackedFormat
{
    /// <summary>Columns of one packed unit; a row is a whole number of them.</summary>
    static abstract int Columns { get; }

    /// <summary>Bytes of one unit of 16 rows.</summary>
    static abstract int UnitBytes { get; }

    /// <summary>What activations are brought to before they meet these weights.</summary>
    static abstract ActivationKind Activations { get; }

    /// <summary>Packs one row's share of a unit.</summary>
    /// <param name="source">The row's bytes of these columns, as ggml stores them.</param>
    /// <param name="unit">The unit, <see cref="UnitBytes"/> bytes, zero before its first row.</param>
    /// <param name="row">The row in the unit, 0 to 15.</param>
    /// <returns>False when a number among them is infinite or not a number.</returns>
    static abstract bool Pack(byte* source, byte* unit, int row);
}
