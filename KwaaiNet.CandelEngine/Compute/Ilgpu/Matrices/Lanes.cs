using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>Exchanges between the four lanes that hold one another's rows.</summary>
internal static class Lanes
{
    /// <summary>Adds what four neighbouring lanes have for four rows; lane i of them gets the sum of row i.</summary>
    internal static int Scatter(int lane, int a, int b, int c, int d)
    {
        bool upper = (lane & 2) != 0;
        int first = (upper ? c : a) + Warp.ShuffleXor(upper ? a : c, 2);
        int second = (upper ? d : b) + Warp.ShuffleXor(upper ? b : d, 2);
        bool odd = (lane & 1) != 0;
        return (odd ? second : first) + Warp.ShuffleXor(odd ? first : second, 1);
    }
}
