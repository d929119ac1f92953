namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>Consecutive rows of one step inside a piece of a batch.</summary>
/// <param name="Step">The step the rows belong to.</param>
/// <param name="Cache">The step's cache.</param>
/// <param name="StepRow">First row, counted in the step.</param>
/// <param name="PieceRow">First row, counted in the piece: where its hidden states lie in the scratch matrices.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Position">The first row's position in its session.</param>
internal readonly record struct RowRun(BlockStep Step, StackCache Cache, int StepRow, int PieceRow, int Rows, int Position);
