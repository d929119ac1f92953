using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Jinja;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Thousands of small templates over the whole language against what the reference renders; <c>Data/jinja-cases.py</c> makes them.</summary>
[Trait("Category", "Templates")]
public sealed class JinjaReferenceTests
{
    [Fact]
    public void Every_feature_renders_as_the_reference_does()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "jinja-cases.json")));
        StringBuilder wrong = new();
        int passed = 0;
        int failed = 0;
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            string source = item.GetProperty("source").GetString()!;
            string? expected = item.TryGetProperty("output", out JsonElement output) ? output.GetString() : null;
            string? actual = null;
            string? error = null;
            try
            {
                actual = JinjaTemplate.Parse(source).Render(JinjaValuesOfJson.Names(document.RootElement.GetProperty("names")), TimeProvider.System).Text;
            }
            catch (ChatTemplateException e)
            {
                error = e.Message;
            }

            if (actual == expected)
            {
                passed++;
            }
            else if (failed++ < 400)
            {
                wrong.AppendLine($"{source}\n  is       {actual ?? "an error: " + error}\n  expected {expected ?? "an error"}");
            }
        }

        Assert.True(failed == 0, $"{passed} cases pass; these {failed} do not:\n{wrong}");
        Assert.True(passed > 3000, $"only {passed} cases ran");
    }
}
