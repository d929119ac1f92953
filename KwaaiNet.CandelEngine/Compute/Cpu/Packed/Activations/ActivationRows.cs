using System.Runtime.InteropServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;

// A tile is up to 8 rows (a single row makes a tile of 1), so that a kernel finds the rows it takes together side by side:
//   values       [tile][line][slot] of 4 bytes: four columns (Bytes), two (Shorts) or one (Single)
//   corrections  [tile][block][4][slot] of 4 bytes, for the integer kinds: scale (float); 8 · Σ (integer); scale · Σ (float);
//                Σ of the first 16 columns and of the other 16 (two 16-bit integers). Σ is of the block's integers.

/// <summary>Activation rows in the form that packed weights are multiplied with.</summary>
/// <remarks>Each row is brought there alone, so what comes out does not depend on the rows beside it.</remarks>
internal sealed unsafe class ActivationRows : IDisposable
{
    /// <summary>Rows of a full tile.</summary>
    internal const int TileRows = 8;

    /// <summary>Numbers kept for each block beside its integers.</summary>
    internal const int Corrections = 4;

    private const int Alignment = 64;

    private nuint _valueBytes;
    private nuint _correctionBytes;

    internal ActivationKind Kind { get; private set; }

    /// <summary>Rows held.</summary>
    internal int Rows { get; private set; }

    /// <summary>Rows a tile has room for: 1 for a single row, else 8.</summary>
    internal int Slots { get; private set; }

    /// <summary>Lines of a tile.</summary>
    internal int Lines { get; private set; }

    /// <summary>Blocks of 32 columns; 0 for floats.</summary>
    internal int Blocks { get; private set; }

    internal int Tiles => (Rows + Slots - 1) / Slots;

    internal byte* Values { get; private set; }

    internal byte* CorrectionData { get; private set; }

    /// <summary>A tile's values.</summary>
    internal byte* Tile(int tile) => Values + ((long)tile * Lines * Slots * sizeof(int));

    /// <summary>A tile's corrections.</summary>
    internal byte* TileCorrections(int tile) => CorrectionData + ((long)tile * Blocks * Corrections * Slots * sizeof(int));

    /// <summary>Makes room; nothing is kept.</summary>
    /// <param name="kind">What the rows will be brought to.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Numbers in a row; a multiple of 32 unless <paramref name="kind"/> is Single.</param>
    internal void Reserve(ActivationKind kind, int rows, int columns)
    {
        Kind = kind;
        Rows = rows;
        Slots = rows == 1 ? 1 : TileRows;
        (Lines, Blocks) = kind switch
        {
            ActivationKind.Bytes => (columns / 4, columns / 32),
            ActivationKind.Shorts => (columns / 2, columns / 32),
            _ => (columns, 0),
        };

        nuint rowsRoom = (nuint)(Tiles * Slots);
        nuint values = rowsRoom * (nuint)Lines * sizeof(int);
        nuint corrections = rowsRoom * (nuint)(Blocks * Corrections) * sizeof(int);
        if (values > _valueBytes)
        {
            Values = Grow(Values, values);
            _valueBytes = values;
        }

        if (corrections > _correctionBytes)
        {
            CorrectionData = Grow(CorrectionData, corrections);
            _correctionBytes = corrections;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Values);
        NativeMemory.AlignedFree(CorrectionData);
        Values = null;
        CorrectionData = null;
        _valueBytes = _correctionBytes = 0;
    }

    private static byte* Grow(byte* old, nuint bytes)
    {
        // First the new, so that the old stands when there is no memory: Dispose will free it, once.
        var grown = (byte*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.AlignedFree(old);
        return grown;
    }
}
