using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>How the numbers of keys and values lie in a 128-bit word. Places as <see cref="KvLayout"/> draws them.</summary>
internal interface IKvFormat
{
    /// <summary>Fours of numbers in a word: 1 or 2.</summary>
    static abstract int Fours { get; }

    /// <summary>The first four numbers.</summary>
    static abstract Four First(Quad word);

    /// <summary>The last four numbers; those of <see cref="First"/> where there are no others.</summary>
    static abstract Four Last(Quad word);

    /// <summary>Keeps two neighbours.</summary>
    /// <param name="words">The pages, by 32-bit words.</param>
    /// <param name="quad">The 128-bit word that the numbers go into.</param>
    /// <param name="number">The first one's place in it, even.</param>
    /// <param name="a">The first number.</param>
    /// <param name="b">The second.</param>
    static abstract void Keep(ArrayView<int> words, long quad, int number, float a, float b);
}
