namespace KwaaiNet.Architecture.Tests.Sources;

/// <summary>That the readers of sources see what is there: each source is a small one with something planted in it.</summary>
public sealed class FolderGraphTests
{
    private const string Room = "KwaaiNet.Room";

    private static readonly (string Path, string Text) s_lower = ("KwaaiNet.Room/Lower/Weights.cs", "namespace KwaaiNet.Room.Lower; internal sealed class Weights { internal static int Count => 1; }");
    private static readonly (string Path, string Text) s_upper = ("KwaaiNet.Room/Upper/Stack.cs", "using KwaaiNet.Room.Lower;\nnamespace KwaaiNet.Room.Upper;\ninternal sealed class Stack { private readonly Weights _weights = new(); }");

    [Fact]
    public void Folders_that_need_one_another_in_one_direction_are_no_circle() => Assert.Empty(Circles(s_lower, s_upper));

    [Fact]
    public void A_planted_circle_is_named_with_its_arrows_types_and_files()
    {
        string circle = Assert.Single(Circles(s_lower, s_upper, ("KwaaiNet.Room/Lower/Back.cs", "using KwaaiNet.Room.Upper; namespace KwaaiNet.Room.Lower; class Back { Stack? _stack; }")));
        Assert.Contains("KwaaiNet.Room.Lower -> KwaaiNet.Room.Upper: Stack in Back.cs", circle, StringComparison.Ordinal);
        Assert.Contains("KwaaiNet.Room.Upper -> KwaaiNet.Room.Lower: Weights in Stack.cs", circle, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a namespace in part", "", "int x = Upper.Stack.Size;")]
    [InlineData("a whole name", "", "int x = global::KwaaiNet.Room.Upper.Stack.Size;")]
    [InlineData("an alias of a type", "using Pile = KwaaiNet.Room.Upper.Stack;", "int x = Pile.Size;")]
    [InlineData("an alias of a namespace", "using Above = KwaaiNet.Room.Upper;", "int x = Above.Stack.Size;")]
    [InlineData("a static using", "using static KwaaiNet.Room.Upper.Stack;", "int x = Size;")]
    [InlineData("a hole in a string", "using KwaaiNet.Room.Upper;", "string x = $\"{{no}} {Stack.Size:N0}\";")]
    [InlineData("a hole in a raw string", "using KwaaiNet.Room.Upper;", "string x = $$\"\"\"{no} {{Stack.Size}}\"\"\";")]
    [InlineData("a hole in a string in a hole", "using KwaaiNet.Room.Upper;", "string x = $\"{string.Join(',', $\"{nameof(Stack)}\")}\";")]
    [InlineData("a type argument", "using KwaaiNet.Room.Upper;", "System.Collections.Generic.List<Stack> x;")]
    [InlineData("an attribute", "using KwaaiNet.Room.Upper;", "[Marked] int x;")]
    [InlineData("a cast", "using KwaaiNet.Room.Upper;", "object x = (Stack)null!;")]
    [InlineData("a pattern", "using KwaaiNet.Room.Upper;", "bool x = y is Stack { Size: 1 };")]
    [InlineData("an extension method", "using KwaaiNet.Room.Upper;", "int x = 3.Doubled();")]
    public void A_circle_is_seen_by(string means, string usings, string member)
    {
        Assert.NotEmpty(means);
        Assert.Single(Circles(
            s_lower,
            s_upper,
            ("KwaaiNet.Room/Upper/MarkedAttribute.cs", "namespace KwaaiNet.Room.Upper; class MarkedAttribute : System.Attribute;"),
            ("KwaaiNet.Room/Upper/Doubling.cs", "namespace KwaaiNet.Room.Upper; static class Doubling { public static int Doubled(this int x) => 2 * x; }"),
            ("KwaaiNet.Room/Lower/Back.cs", $"{usings}\nnamespace KwaaiNet.Room.Lower;\nclass Back\n{{\n    {member}\n}}")));
    }

    [Theory]
    [InlineData("a comment", "// Stack\n/* Stack */ int x;")]
    [InlineData("documentation", "/// <summary>As <see cref=\"Stack\"/>.</summary>\n int x;")]
    [InlineData("a string", "string x = \"Stack\" + @\"a \"\"Stack\"\"\" + \"\"\"Stack \" Stack\"\"\" + $\"{{Stack}}\" + '\"' + \"Stack\";")]
    [InlineData("a property's name", "int Stack { get; } = 1; void Set() => new Back { Stack = 1 }.Stack.ToString();")]
    [InlineData("an argument's name", "void Call() => M(Stack: 1);")]
    [InlineData("a method's name", "int Stack(int x) => Stack(x - 1);")]
    public void No_circle_is_made_by_a_name_in(string means, string member)
    {
        Assert.NotEmpty(means);
        // The folder above names the type that the one below must not: with the using in sight, only the member decides.
        Assert.Empty(Circles(s_lower, s_upper, ("KwaaiNet.Room/Lower/Back.cs", $"using KwaaiNet.Room.Upper; // for Stack\nnamespace KwaaiNet.Room.Lower;\nclass Back\n{{\n    {member}\n}}")));
    }

    [Fact]
    public void A_folder_and_one_inside_it_can_form_a_circle() => Assert.Single(Circles(
        ("KwaaiNet.Room/Pile.cs", "namespace KwaaiNet.Room; class Pile { Lower.Weights? _weights; }"),
        ("KwaaiNet.Room/Lower/Weights.cs", "namespace KwaaiNet.Room.Lower; class Weights { Pile? _pile; }")));

    [Fact]
    public void A_circle_may_lead_over_three_folders() => Assert.Single(Circles(
        ("KwaaiNet.Room/A/One.cs", "using KwaaiNet.Room.B; namespace KwaaiNet.Room.A; class One { Two? _two; }"),
        ("KwaaiNet.Room/B/Two.cs", "using KwaaiNet.Room.C; namespace KwaaiNet.Room.B; class Two { Three? _three; }"),
        ("KwaaiNet.Room/C/Three.cs", "namespace KwaaiNet.Room.C { delegate A.One Three<T>(T x); }")));

    [Fact]
    public void A_global_using_is_in_sight_of_the_whole_room() => Assert.Single(Circles(
        s_lower,
        s_upper,
        ("KwaaiNet.Room/Usings.cs", "global using KwaaiNet.Room.Upper;"),
        ("KwaaiNet.Room/Lower/Back.cs", "namespace KwaaiNet.Room.Lower; class Back { Stack? _stack; }")));

    [Theory]
    [InlineData("using KwaaiNet.Other;\nnamespace KwaaiNet.Room; class Pile { Thing? _thing; }")]
    [InlineData("namespace KwaaiNet.Room; class Pile { Other.Thing? _thing; }")]
    [InlineData("using Thing = KwaaiNet.Other.Thing;\nnamespace KwaaiNet.Room; class Pile;")]
    [InlineData("using static KwaaiNet.Other.Thing;\nnamespace KwaaiNet.Room; class Pile;")]
    [InlineData("namespace KwaaiNet.Room; class Pile { Other.Wire.Message? _message; }")]
    public void An_arrow_to_another_room_is_seen(string text)
    {
        SourceFile file = new("KwaaiNet.Room/Pile.cs", text);
        SourceMap map = new([file, new SourceFile("KwaaiNet.Other/Thing.cs", "namespace KwaaiNet.Other; public class Thing;")], ["KwaaiNet.Other.Wire"]);
        Assert.Contains(RoomArrows.Of(map, file), arrow => arrow.Room == "KwaaiNet.Other");
    }

    [Fact]
    public void A_property_called_like_a_room_is_no_arrow_to_it()
    {
        SourceFile file = new("KwaaiNet.Room/Pile.cs", "namespace KwaaiNet.Room; class Pile { string Other => \"\"; int Length => Other.Length; }");
        Assert.Empty(RoomArrows.Of(new SourceMap([file, new SourceFile("KwaaiNet.Other/Thing.cs", "namespace KwaaiNet.Other; public class Thing;")]), file));
    }

    [Fact]
    public void A_name_that_two_folders_give_is_double_but_parts_nested_types_and_those_of_one_file_are_not() => Assert.Equal(
        ["Stack: KwaaiNet.Other/Stack.cs, KwaaiNet.Room/Upper/Stack.cs"],
        DoubleNames.In(
        [
            new SourceFile(s_upper.Path, s_upper.Text),
            new SourceFile("KwaaiNet.Other/Stack.cs", "namespace KwaaiNet.Other; public readonly record struct Stack<T>(T Value) where T : class;"),
            new SourceFile("KwaaiNet.Other/Nested.cs", "namespace KwaaiNet.Other; public partial class Nested { class Weights; }"),
            new SourceFile("KwaaiNet.Other/Nested.Rest.cs", "namespace KwaaiNet.Other; partial class Nested;"),
            new SourceFile("KwaaiNet.Third/Own.cs", "namespace KwaaiNet.Third; file sealed class Nested; class Own;"),
            new SourceFile(s_lower.Path, s_lower.Text),
        ]));

    private static string[] Circles(params (string Path, string Text)[] files) =>
        [.. new FolderGraph(new SourceMap(files.Select(file => new SourceFile(file.Path, file.Text))), Room).Circles()];
}
