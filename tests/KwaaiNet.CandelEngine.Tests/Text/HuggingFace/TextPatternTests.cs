using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Tests.Text.HuggingFace;

public sealed class TextPatternTests
{
    [Fact]
    public void A_text_that_an_expression_runs_away_on_is_the_texts_fault_and_not_the_model_files()
    {
        TextPattern pattern = TextPattern.Own("(a|aa)+$", TimeSpan.FromMilliseconds(50));
        TokenizationException exception = Assert.Throws<TokenizationException>(() => pattern.Find(new string('a', 200) + "b", []));
        Assert.Contains("A text of 201 characters", exception.Message, StringComparison.Ordinal);
    }
}
