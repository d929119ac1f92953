using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

/// <summary>The chain computed plainly: in float64, with the system's functions, sorting everything at every stage.</summary>
internal static class SamplerOracle
{
    /// <summary>The probability of each id.</summary>
    /// <param name="logits">The model's own.</param>
    /// <param name="parameters">What to do with them.</param>
    /// <param name="history">Prompt and answer.</param>
    /// <param name="generated">How many of the history, from the end, are the answer.</param>
    /// <param name="slack">Widens (above 0) or narrows (below) what filters keep: two computations may differ where a sum just reaches its bound.</param>
    public static double[] Distribution(float[] logits, SamplingParameters parameters, int[] history, int generated, double slack = 0)
    {
        double[] shaped = Shape(logits, parameters, history, generated);
        List<int> ids = [.. Enumerable.Range(0, logits.Length).Where(id => shaped[id] > double.NegativeInfinity).OrderByDescending(id => shaped[id]).ThenBy(id => id)];
        if (parameters.Temperature == 0)
            return Normalised(logits.Length, [ids[0]], _ => 1);
        if (parameters.TopK > 0)
            ids = [.. ids.Take(parameters.TopK)];
        double best = shaped[ids[0]];
        double Weight(int id) => Math.Exp((shaped[id] - best) / parameters.Temperature);

        if (parameters.TypicalP < 1)
        {
            double[] p = Normalised(logits.Length, ids, Weight);
            double entropy = -ids.Where(id => p[id] > 0).Sum(id => p[id] * Math.Log(p[id]));
            ids = Fewest(ids.Where(id => p[id] > 0).OrderBy(id => Math.Round(Math.Abs(-Math.Log(p[id]) - entropy), 9)).ThenBy(id => ids.IndexOf(id)), p, parameters.TypicalP, slack);
            ids = [.. ids.OrderByDescending(id => shaped[id]).ThenBy(id => id)];
        }

        if (parameters.TopP < 1)
            ids = Fewest(ids, Normalised(logits.Length, ids, Weight), parameters.TopP, slack);
        if (parameters.MinP > 0)
        {
            double least = parameters.MinP * Weight(ids[0]) * (1 - slack);
            ids = [.. ids.Where((id, rank) => rank == 0 || Weight(id) >= least)];
        }

        return Normalised(logits.Length, ids, Weight);
    }

    /// <summary>Bias and penalties.</summary>
    public static double[] Shape(float[] logits, SamplingParameters parameters, int[] history, int generated)
    {
        double[] shaped = [.. logits.Select(logit => float.IsNaN(logit) ? double.NegativeInfinity : (double)logit)];
        foreach (LogitBias bias in parameters.LogitBias)
            shaped[bias.Token] = (float)(shaped[bias.Token] + bias.Bias);
        int window = parameters.RepeatLastN < 0 ? history.Length : Math.Min(parameters.RepeatLastN, history.Length);
        foreach (int id in history[^window..].Distinct())
            shaped[id] = (float)(shaped[id] > 0 ? shaped[id] / parameters.RepetitionPenalty : shaped[id] * parameters.RepetitionPenalty);
        foreach (IGrouping<int, int> id in history[^generated..].GroupBy(id => id))
            shaped[id.Key] = (float)(shaped[id.Key] - (id.Count() * (double)parameters.FrequencyPenalty) - parameters.PresencePenalty);
        return shaped;
    }

    private static List<int> Fewest(IEnumerable<int> ordered, double[] probabilities, double wanted, double slack)
    {
        List<int> kept = [];
        double reached = 0;
        foreach (int id in ordered)
        {
            if (kept.Count > 0 && reached >= wanted * (1 + slack))
                break;
            kept.Add(id);
            reached += probabilities[id];
        }

        return kept;
    }

    private static double[] Normalised(int vocabulary, List<int> ids, Func<int, double> weight)
    {
        double total = ids.Sum(weight);
        double[] probabilities = new double[vocabulary];
        foreach (int id in ids)
            probabilities[id] = weight(id) / total;
        return probabilities;
    }
}
