namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Graphs;

/// <summary>What launches of a decode step depend on; steps of one kind launch the same kernels with the same arguments.</summary>
/// <param name="Rows">Rows, those included that only fill up the batch.</param>
/// <param name="FromTokens">Whether rows start from tokens, and not from hidden states.</param>
/// <param name="HandsOut">Whether hidden states are wanted.</param>
/// <param name="Logits">Whether logits are wanted.</param>
internal readonly record struct StepKind(int Rows, bool FromTokens, bool HandsOut, bool Logits)
{
    /// <summary>Rows of the largest step that is recorded.</summary>
    internal const int MostRows = 32;

    /// <summary>The number of rows that a step is filled up to: the next power of two.</summary>
    internal static int Padded(int rows)
    {
        int padded = 1;
        while (padded < rows) padded *= 2;
        return padded;
    }
}
