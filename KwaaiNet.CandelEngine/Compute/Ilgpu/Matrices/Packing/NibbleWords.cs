using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>Puts the words of a row's block where a tile's lanes have them.</summary>
internal static unsafe class NibbleWords
{
    internal const int Low = 0x0F0F0F0F;

    /// <summary>The first of a row's four words in a plane of quads, <c>[block, 32 lanes, 4]</c>; the others follow 4 words apart.</summary>
    internal static int* Quads(int* plane, int block, int r) => plane + (((block * 32) + ((r & 7) * 4)) * 4) + (r >> 3);

    /// <summary>Writes a block's 32 four-bit numbers.</summary>
    /// <param name="bytes">Numbers in one nibble of 32 bytes.</param>
    /// <param name="shift">0 for low nibbles, 4 for high ones.</param>
    /// <param name="target">The row's first word.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write(byte* bytes, int shift, int* target)
    {
        for (int i = 0; i < 4; i++)
        {
            int first = (Unsafe.ReadUnaligned<int>(bytes + (4 * i)) >> shift) & Low;
            int second = (Unsafe.ReadUnaligned<int>(bytes + 16 + (4 * i)) >> shift) & Low;
            target[4 * i] = first | (second << 4);
        }
    }

    /// <summary>Where a row's eight of something are for a chunk of eight blocks, <c>[chunk, 32 slots, 8]</c>.</summary>
    internal static int Slot(int chunk, int r) => (chunk * 32) + Tiles.Slot(r);
}
