using System.Text.Json;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Templates;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>What a template leaves out of a prompt is said, and nothing else is.</summary>
[Trait("Category", "Templates")]
public sealed class DroppedTurnTests
{
    private static readonly ChatTemplateOptions s_options = new();

    private const string TwoRoles = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}U: {{ m.content }}\n{% elif m.role == 'assistant' %}A: {{ m.content }}\n{% endif %}{% endfor %}A:";

    [Fact]
    public void A_tools_answer_that_the_template_has_no_branch_for_is_dropped()
    {
        ChatTurn[] turns = [new("user", "What is 2 + 2?"), new("assistant", "I ask."), new("tool", "4"), new("user", "And?")];
        Assert.Equal(2, Template(TwoRoles).FirstDroppedTurn(turns, s_options));
        Assert.Null(Template(TwoRoles).FirstDroppedTurn([turns[0], turns[1], turns[3]], s_options));
    }

    [Fact]
    public void A_text_that_stands_in_the_prompt_by_chance_does_not_hide_that_it_was_dropped() =>
        Assert.Equal(0, Template(TwoRoles).FirstDroppedTurn([new("tool", "A"), new("user", "hello")], s_options));

    [Fact]
    public void Content_in_parts_is_looked_at_too()
    {
        using JsonDocument fields = JsonDocument.Parse("""{"content": [{"type": "text", "text": "hello"}, {"type": "image_url"}]}""");
        ChatTurn turn = new("user", "") { Fields = fields.RootElement };
        Assert.Null(Template("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}.").FirstDroppedTurn([turn], s_options));
        Assert.Equal(0, Template("{% for m in messages %}{{ m.content | length }}{% endfor %}.").FirstDroppedTurn([turn], s_options));
    }

    [Theory]
    [InlineData("{{ messages | map(attribute='content') | map('trim') | join('\n\n') }}")] // merges
    [InlineData("{{ messages | tojson }}")]
    [InlineData("{% for m in messages %}{{ m.content | upper }}{% endfor %}")]
    [InlineData("{% for m in messages %}{{ m.content | reverse }}{% endfor %}")]
    [InlineData("{% for m in messages %}{{ m.content[:3] }}{{ m.content | length }}{% endfor %}")]
    [InlineData("{% for m in messages %}{{ m.content.split('</think>')[-1].lstrip('\n') }}{% endfor %}")] // earlier reasoning goes
    [InlineData("{% for m in messages %}{% if m.content not in ['<think>\nhm\n</think>\n\nyes', 'a b', ' no '] %}{{ raise_exception('not this') }}{% endif %}{{ m.content }}{% endfor %}")]
    public void A_template_that_changes_what_is_said_drops_nothing(string source) => Assert.Null(Template(source).FirstDroppedTurn(
        [new("system", "a b"), new("user", " no "), new("assistant", "<think>\nhm\n</think>\n\nyes")], s_options));

    [Fact]
    public void Words_beside_a_call_of_tools_and_empty_messages_may_stand_back()
    {
        using JsonDocument fields = JsonDocument.Parse("""{"tool_calls": [{"type": "function", "function": {"name": "clock", "arguments": "{}"}}]}""");
        Assert.Null(Template("{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls[0].function.name }}{% elif m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}")
            .FirstDroppedTurn([new("user", "time?"), new("assistant", "I look.") { Fields = fields.RootElement }, new("assistant", " \n")], s_options));
    }

    [Fact]
    public void Of_the_conversations_that_shipped_templates_render_only_those_lose_a_message_whose_template_has_no_branch_for_it()
    {
        string folder = TestData.Require("templates");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        JsonElement globals = document.RootElement.GetProperty("globals");
        FakeTimeProvider time = new(globals.GetProperty("now").GetDateTimeOffset());
        List<string> dropped = [];
        int whole = 0;
        foreach (JsonProperty template in document.RootElement.GetProperty("expected").EnumerateObject())
        {
            JinjaChatTemplate own = new(File.ReadAllText(Path.Combine(folder, template.Name)), globals.GetProperty("bos_token").GetString()!, globals.GetProperty("eos_token").GetString()!, time);
            foreach (JsonProperty expected in template.Value.EnumerateObject().Where(expected => expected.Value.TryGetProperty("rendered", out _)))
            {
                JsonElement input = document.RootElement.GetProperty("inputs").GetProperty(expected.Name);
                ChatTurn[] turns = [.. input.GetProperty("messages").EnumerateArray().Select(message => new ChatTurn(message.GetProperty("role").GetString()!, "") { Fields = message })];
                ChatTemplateOptions options = new()
                {
                    Tools = input.TryGetProperty("tools", out JsonElement tools) ? tools : null,
                    Documents = input.TryGetProperty("documents", out JsonElement documents) ? documents : null,
                };
                if (own.FirstDroppedTurn(turns, options) is { } index) dropped.Add($"{template.Name} / {expected.Name}: {turns[index].Role}");
                else whole++;
            }
        }

        Assert.True(whole >= 60, $"only {whole} conversations were whole");
        // Phi writes no other roles than system, user and assistant.
        Assert.Equal(["microsoft-Phi-3.5-mini-instruct.jinja / tool_round_trip: tool"], dropped);
    }

    private static JinjaChatTemplate Template(string source) => new(source, "<s>", "</s>", TimeProvider.System);
}
