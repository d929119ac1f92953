using KwaaiNet.Cli.Bench.Network;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>A request of a soak, and its undisturbed twin: what was answered when nothing else ran.</summary>
/// <param name="Name">Which conversation and turn, for people.</param>
/// <param name="Question">What is asked.</param>
/// <param name="Text">The twin's text.</param>
/// <param name="Tokens">The twin's tokens.</param>
internal sealed record SoakTurn(string Name, BenchQuestion Question, string Text, int Tokens)
{
    private const int TooManyRequests = 429;
    private const int Unavailable = 503;

    /// <summary>What became of an answer to this question.</summary>
    public SoakOutcome Judge(BenchAnswer answer)
    {
        string text = answer.Text!.ToString();
        if (answer.IsLeft) return Text.StartsWith(text, StringComparison.Ordinal) ? SoakOutcome.Cancelled : SoakOutcome.Different;
        if (answer.Problem is not null) return answer.Status is TooManyRequests or Unavailable ? SoakOutcome.Refused : SoakOutcome.Failed;
        return text == Text && answer.Tokens == Tokens ? SoakOutcome.Answered : SoakOutcome.Different;
    }

    /// <summary>Where an answer parts from the twin, with what stands there in both.</summary>
    public string Difference(BenchAnswer answer)
    {
        const int Shown = 24;
        string text = answer.Text!.ToString();
        int at = 0;
        while (at < text.Length && at < Text.Length && text[at] == Text[at]) at++;
        return $"{Name}: at character {at} '{Part(text)}' ({answer.Tokens} tokens) in place of '{Part(Text)}' ({Tokens} tokens)";

        string Part(string whole) => whole.Substring(at, Math.Min(Shown, whole.Length - at));
    }
}
