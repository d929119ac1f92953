using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Stacks;

/// <summary>Refuses a step that does not fit its stack or its cache, before anything runs.</summary>
internal static class StepCheck
{
    /// <exception cref="ArgumentException">The step does not fit; the message says where.</exception>
    internal static StackCache Check(BlockStack stack, BlockStep step)
    {
        ModelShape shape = stack.Shape;
        if (step is null) throw Refused("A step is null.");
        if (step.Cache is not StackCache cache || !ReferenceEquals(cache.Stack, stack)) throw Refused("The cache was not made by this stack.");
        if (cache.IsDisposed) throw Refused("The cache is disposed.");
        if (cache.InBatch) throw Refused("The same cache is in the batch twice.");
        if (step.Rows < 1) throw Refused($"A step has at least one row, not {step.Rows}.");
        if (step.Rows > shape.ContextLength - cache.Length)
            throw Refused($"{step.Rows} rows after position {cache.Length} exceed the context of {shape.ContextLength}.");
        if (step.Boundary is not (HiddenFormat.F16 or HiddenFormat.F32)) throw Refused($"Unknown boundary format {step.Boundary}.");
        if (step.Boundary == HiddenFormat.F16 && shape.HiddenExceedsHalf)
            throw Refused($"Hidden states of {shape.Architecture} may grow beyond what {HiddenFormat.F16} holds; the boundary must be {HiddenFormat.F32}.");

        if (step.Tokens.IsEmpty == step.Input.IsEmpty) throw Refused("A step has either tokens or input hidden states.");
        if (!step.Tokens.IsEmpty)
            CheckTokens(stack, cache, step);
        else if (step.Input.Length != (long)step.Rows * shape.Width)
            throw Refused($"Input holds {step.Input.Length} numbers; {step.Rows} rows of width {shape.Width} need {(long)step.Rows * shape.Width}.");

        if (!step.Output.IsEmpty && step.Output.Length != (long)step.Rows * shape.Width)
            throw Refused($"Output holds {step.Output.Length} numbers; {step.Rows} rows of width {shape.Width} need {(long)step.Rows * shape.Width}.");
        if (!step.Logits.IsEmpty) CheckLogits(stack, cache, step);
        return cache;
    }

    private static void CheckTokens(BlockStack stack, StackCache cache, BlockStep step)
    {
        if (!stack.Options.Embedding) throw Refused("The stack holds no embedding, so a step cannot start from tokens.");
        if (cache.FirstBlock != 0) throw Refused($"The cache starts at block {cache.FirstBlock}; only block 0 starts from tokens.");
        if (step.Tokens.Length != step.Rows) throw Refused($"{step.Tokens.Length} tokens were given for {step.Rows} rows.");

        ReadOnlySpan<int> tokens = step.Tokens.Span;
        for (int i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)stack.Shape.VocabularySize)
                throw Refused($"Token {tokens[i]} at row {i} is outside the vocabulary of {stack.Shape.VocabularySize}.");
        }
    }

    private static void CheckLogits(BlockStack stack, StackCache cache, BlockStep step)
    {
        int vocabulary = stack.Shape.VocabularySize;
        if (!stack.Options.OutputHead) throw Refused("The stack holds no output head, so a step cannot ask for logits.");
        if (cache.EndBlock != stack.Shape.BlockCount)
            throw Refused($"The cache ends at block {cache.EndBlock}; logits follow the last block, {stack.Shape.BlockCount - 1}.");
        if (step.Logits.Length != vocabulary && step.Logits.Length != (long)step.Rows * vocabulary)
            throw Refused($"Logits hold {step.Logits.Length} numbers; one row needs {vocabulary}, all rows {(long)step.Rows * vocabulary}.");
    }

    // The parameter's name is the interface's: callers see Run(batch).
    private static ArgumentException Refused(string message) => new(message, "batch");
}
