using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>What one rendering may use. A template comes with a model file from anywhere, so it is code that nobody checked.</summary>
/// <param name="time">The clock that limits the time. Real templates take milliseconds: it ends only what the counts below do not see.</param>
internal sealed class JinjaBudget(TimeProvider time)
{
    /// <summary>Expressions and statements evaluated. Real templates take a few dozen a turn.</summary>
    public const int MaximumSteps = 2_000_000;

    /// <summary>Characters made, and sixteen for a list's element, intermediate ones included.</summary>
    public const long MaximumWork = 1 << 26;

    /// <summary>Characters of the prompt.</summary>
    public const int MaximumOutput = 1 << 24;

    /// <summary>How deep statements, expressions and values nest.</summary>
    public const int MaximumDepth = 200;

    /// <summary>How long one rendering may take.</summary>
    public static readonly TimeSpan MaximumTime = TimeSpan.FromSeconds(10);

    private const int ItemWork = 16;

    // Comparing characters in a search is this much faster than making them.
    private const int SearchSpeed = 1024;

    // A step may go through as many characters as the work allows: milliseconds. Asking for the time takes nanoseconds.
    private const int StepsPerGlance = 16;

    private readonly long _start = time.GetTimestamp();
    private int _steps;
    private long _work;
    private int _depth;

    /// <summary>Counts one evaluation, and one level of nesting until <see cref="Leave"/>.</summary>
    public void Enter()
    {
        if (++_steps > MaximumSteps)
            throw new ChatTemplateException($"The chat template takes more than {MaximumSteps:N0} steps.");
        if (_steps % StepsPerGlance == 0 && time.GetElapsedTime(_start) > MaximumTime)
            throw new ChatTemplateException($"The chat template takes longer than {MaximumTime.TotalSeconds:N0} seconds.");
        if (++_depth > MaximumDepth)
            throw new ChatTemplateException($"The chat template nests more than {MaximumDepth} deep.");
        RuntimeHelpers.EnsureSufficientExecutionStack();
    }

    public void Leave() => _depth--;

    /// <summary>Counts elements of a list, which take more memory than characters, before they are made.</summary>
    public void ChargeItems(long count) => Charge(count > MaximumWork ? count : count * ItemWork);

    /// <summary>Counts a search, which at worst compares the part with the text at every place.</summary>
    public void ChargeSearch(int text, int part) => Charge(text + ((long)text * part / SearchSpeed));

    /// <summary>Counts work before it is done.</summary>
    public void Charge(long amount)
    {
        if (amount > MaximumWork || (_work += amount) > MaximumWork)
            throw new ChatTemplateException($"The chat template makes more than {MaximumWork:N0} characters of text.");
    }
}
