using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Tests.Text.HuggingFace;

/// <summary>A <c>tokenizer.json</c> comes from anywhere: what it makes of a text is bounded by the text.</summary>
[Trait("Category", "BadInput")]
public sealed class NormalizerLimitTests
{
    private const string Double = """{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""";

    [Fact]
    public void Steps_that_double_a_text_again_and_again_are_stopped()
    {
        string steps = string.Join(',', Enumerable.Repeat(Double, 60));
        HuggingFaceTokenizer tokenizer = Read($$"""{"type":"Sequence","normalizers":[{{steps}}]}""", "null");
        Assert.Contains("normalizer makes more", Assert.Throws<ModelFormatException>(() => tokenizer.Encode("aaaa")).Message);
    }

    [Fact]
    public void What_a_text_is_changed_to_within_reason_is_tokenized() =>
        Assert.Equal([0, 0, 0, 0], Read(Double, "null").Encode("aa"));

    [Fact]
    public void A_sign_for_a_space_is_no_novel()
    {
        string sign = new('a', 100_000);
        Assert.Throws<ModelFormatException>(() => Read("null", $$"""{"type":"Metaspace","replacement":"{{sign}}","prepend_scheme":"never"}"""));
        Assert.Throws<ModelFormatException>(() => Read($$"""{"type":"Replace","pattern":{"String":" "},"content":"{{sign}}"}""", "null"));
    }

    private static HuggingFaceTokenizer Read(string normalizer, string preTokenizer) => HuggingFaceTokenizer.Read("tokenizer.json", Encoding.UTF8.GetBytes(
        $$$"""{"normalizer":{{{normalizer}}},"pre_tokenizer":{{{preTokenizer}}},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}"""));
}
