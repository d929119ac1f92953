using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Jinja;
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
                string actual = Render(source, names, time, out bool raised);
                if (raised == raises && actual == text.GetString())
                    passed++;
                else
                    wrong.AppendLine($"{template.Name} / {expected.Name}: {actual}\n  expected: {text}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{passed} cases pass");
        Assert.True(wrong.Length == 0, $"{passed} cases pass; these do not:\n{wrong}");
        Assert.True(passed >= 70, $"only {passed} cases ran");
    }

    private static string Render(string source, Dictionary<string, object?> names, TimeProvider time, out bool raised)
    {
        try
        {
            raised = false;
            return JinjaTemplate.Parse(source).Render(names, time).Text;
        }
        catch (ChatTemplateException e)
        {
            raised = true;
            return e.Message;
        }
    }
}
