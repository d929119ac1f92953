using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Jinja;
using KwaaiNet.CandelEngine.Text.Templates;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Templates as models ship them, with what the reference implementation renders.</summary>
[Trait("Category", "Templates")]
public sealed class TemplateCaseTests
{
    [Fact]
    public void Shipped_templates_render_as_the_reference_does()
    {
        string folder = TestData.Require("templates");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        JsonElement globals = document.RootElement.GetProperty("globals");
        FakeTimeProvider time = new(globals.GetProperty("now").GetDateTimeOffset());
        StringBuilder wrong = new();
        int passed = 0;
        foreach (JsonProperty template in document.RootElement.GetProperty("expected").EnumerateObject())
        {
            string source = File.ReadAllText(Path.Combine(folder, template.Name));
            foreach (JsonProperty expected in template.Value.EnumerateObject())
            {
                Dictionary<string, object?> names = JinjaValuesOfJson.Names(globals, document.RootElement.GetProperty("inputs").GetProperty(expected.Name));
                bool raises = expected.Value.TryGetProperty("error", out JsonElement text);
                text = raises ? text : expected.Value.GetProperty("rendered");
                string actual = Render(() => JinjaTemplate.Parse(source).Render(names, time).Text, out bool raised);
                string asked = Render(() => RenderPublicly(source, globals, document.RootElement.GetProperty("inputs").GetProperty(expected.Name), time), out bool askedRaised);
                // What a template says itself is the same to the letter; what the language says of a mistake is said differently here.
                bool ownWords = !expected.Value.TryGetProperty("kind", out JsonElement kind) || kind.GetString() == "TemplateError";
                if (raised == raises && (!ownWords || (actual == text.GetString() && askedRaised == raised && asked == actual)))
                    passed++;
                else
                    wrong.AppendLine($"{template.Name} / {expected.Name}: {actual}\n  expected: {text}\n  through ChatTemplate: {asked}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{passed} cases pass");
        Assert.True(wrong.Length == 0, $"{passed} cases pass; these do not:\n{wrong}");
        Assert.True(passed >= 70, $"only {passed} cases ran");
    }

    private static string Render(Func<string> render, out bool raised)
    {
        try
        {
            raised = false;
            return render();
        }
        catch (ChatTemplateException e)
        {
            raised = true;
            return e.Message;
        }
    }

    /// <summary>The same through the engine's public types.</summary>
    private static string RenderPublicly(string source, JsonElement globals, JsonElement input, TimeProvider time)
    {
        JinjaChatTemplate template = new(source, globals.GetProperty("bos_token").GetString()!, globals.GetProperty("eos_token").GetString()!, time);
        Dictionary<string, JsonElement> variables = globals.EnumerateObject().Concat(input.EnumerateObject())
            .Where(property => property.Name is not ("messages" or "tools" or "documents" or "now" or "bos_token" or "eos_token"))
            .GroupBy(property => property.Name).ToDictionary(group => group.Key, group => group.Last().Value);
        ChatTurn[] turns = [.. input.GetProperty("messages").EnumerateArray().Select(message => new ChatTurn(message.GetProperty("role").GetString()!, "") { Fields = message })];
        return template.Render(turns, new ChatTemplateOptions
        {
            AddGenerationPrompt = variables["add_generation_prompt"].GetBoolean(),
            Tools = input.TryGetProperty("tools", out JsonElement tools) ? tools : null,
            Documents = input.TryGetProperty("documents", out JsonElement documents) ? documents : null,
            Variables = variables,
        });
    }
}
