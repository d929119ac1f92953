using CsCheck;
using KwaaiNet.ApiNode.Chat;

namespace KwaaiNet.ApiNode.Tests.Chat;

public sealed class StopStringFilterTests
{
    [Theory]
    [InlineData("abSTOPcd", "ab", true, "STOP")]
    [InlineData("abSTOcd", "abSTOcd", false, "STOP")]
    [InlineData("abSTO", "abSTO", false, "STOP")]
    [InlineData("SSTOP", "S", true, "STOP")]
    [InlineData("aXbYc", "a", true, "Y", "X")]
    [InlineData("aabaac", "aab", true, "aac")]
    [InlineData("STOP", "", true, "STOP")]
    public void Text_ends_before_the_first_stop_string_however_it_is_cut(string text, string expected, bool stopped, params string[] stops)
    {
        for (int size = 1; size <= text.Length; size++)
        {
            StopStringFilter filter = new(stops);
            string given = string.Concat(text.Chunk(size).Select(piece => filter.Append(piece)));
            given += filter.Flush();
            Assert.Equal((expected, stopped), (given, filter.Stopped));
        }
    }

    [Fact]
    public void Text_that_cannot_become_a_stop_string_is_not_held_back()
    {
        StopStringFilter filter = new(["\n\n"]);
        Assert.Equal("one", filter.Append("one"));
        Assert.Equal("", filter.Append("\n"));
        Assert.Equal("\ntwo", filter.Append("two"));
    }

    [Fact]
    public void No_cutting_ever_lets_a_stop_string_through() =>
        Gen.Select(Gen.String[Gen.Char["ab"], 0, 20], Gen.String[Gen.Char["ab"], 1, 3].Array[1, 3], Gen.Int[1, 4]).Sample((text, stops, size) =>
        {
            StopStringFilter filter = new(stops);
            string given = string.Concat(text.Chunk(size).Select(piece => filter.Append(piece)));
            given += filter.Flush();
            (int End, int Start) first = stops.Select(stop => (At: text.IndexOf(stop, StringComparison.Ordinal), stop.Length))
                .Where(found => found.At >= 0).Select(found => (found.At + found.Length, found.At)).DefaultIfEmpty((0, text.Length)).Min();
            return given == text[..first.Start] && filter.Stopped == (first.End > 0);
        });
}
