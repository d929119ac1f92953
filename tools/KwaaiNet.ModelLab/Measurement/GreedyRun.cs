namespace KwaaiNet.ModelLab.Measurement;

/// <summary>llama.cpp's greedy continuation of one prompt.</summary>
/// <param name="Prompt">The prompt's text.</param>
/// <param name="PromptIds">Its token ids.</param>
/// <param name="Ids">The ids llama.cpp adds.</param>
/// <param name="Leads">By how much each one's logit leads the next best.</param>
internal sealed record GreedyRun(string Prompt, int[] PromptIds, int[] Ids, float[] Leads);
