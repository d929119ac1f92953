using System.Diagnostics;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>All users asked once, at the same moment.</summary>
/// <param name="Answers">One a user.</param>
internal sealed record BenchRound(IReadOnlyList<BenchAnswer> Answers)
{
    public int Tokens => Answers.Sum(answer => answer.Tokens);

    public RoundPrompts Prompts => new(Answers.Sum(answer => answer.PromptTokens), Answers.Sum(answer => answer.CachedTokens));

    public double TotalRate => Tokens / Stopwatch.GetElapsedTime(Answers.Min(answer => answer.Started), Answers.Max(answer => answer.Last)).TotalSeconds;

    public double Fairness => Answers.Min(answer => answer.Rate) / Answers.Max(answer => answer.Rate);

    /// <summary>Tokens a second while every user decodes; where there is no such time, over all the time in which somebody does.</summary>
    public double SteadyRate
    {
        get
        {
            long from = Answers.Max(answer => answer.First);
            long to = Answers.Min(answer => answer.Last);
            if (to <= from) (from, to) = (Answers.Min(answer => answer.First), Answers.Max(answer => answer.Last));
            return Answers.Sum(answer => answer.TokensBetween(from, to)) / Stopwatch.GetElapsedTime(from, to).TotalSeconds;
        }
    }
}
