using System.Text;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Templates;
using KwaaiNet.Fuzz.Mutation;
using KwaaiNet.Fuzz.Seeds;

namespace KwaaiNet.Fuzz.Targets;

/// <summary>Chat templates, which are programs of somebody else's: parsing, and rendering within the budget.</summary>
internal sealed class TemplateTarget : IFuzzTarget
{
    /// <summary>What a rendering may allocate over its whole life: sixteen bytes for each of the 2^26 units of work in its budget.</summary>
    public const long RenderLimit = 1L << 30;

    private static readonly ChatTurn[] s_turns =
    [
        new("system", "Be <brief>. "), new("user", " 1 + 1?\n\ud83d\ude00"), new("assistant", "<think>two</think>2"), new("user", "{{ x }} {% raw %} <|im_end|>"),
    ];

    private readonly FixedTime _time = new();

    public string Name => "template";

    public IReadOnlyList<FuzzSeed> Seeds { get; } = TemplateSeeds.All();

    public IReadOnlyList<byte[]> Words { get; } = TemplateSeeds.Words();

    public void Run(FuzzCase input)
    {
        string source = Encoding.UTF8.GetString(input.Input);
        foreach (bool prompt in (ReadOnlySpan<bool>)[true, false])
        {
            input.Stage(prompt ? "prompt" : "again", 1024, RenderLimit, () => input.Note(new JinjaChatTemplate(source, "<s>", "</s>", _time).Render(s_turns, prompt)));
        }
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 2, 28, 23, 59, 58, TimeSpan.Zero);
    }
}
