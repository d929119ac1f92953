using CsCheck;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Jinja;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.CandelEngine.Tests.Text;

[Trait("Category", "Templates")]
public sealed class JinjaTests
{
    // The counts are what these tests are about; on a busy machine the limit on time might come first.
    private static readonly FakeTimeProvider s_stopped = new();

    [Theory]
    [InlineData("{{ 1 + 2 * 3 - 4 // 3 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }}", "6 3.5 -4 2 1024")]
    [InlineData("{{ --1 }}{{ - -1.5 }}{{ ------------------------------------------------------------1 }}", "11.51")]
    [InlineData("{{ 'a' ~ 1 ~ true ~ none ~ 1.0 }}", "a1TrueNone1.0")]
    [InlineData("{{ 9223372036854775806 % 9223372036854775807 }} {{ -1 % 9223372036854775807 }} {{ 7 % -3 }} {{ -6 % 3 }}", "9223372036854775806 9223372036854775806 -2 0")]
    [InlineData("{{ {(1, 'a'): 2}[(1.0, 'a')] }}{{ {(1, 2): 3}[(2, 1)] }}", "2")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 3 in [1, 2] }} {{ 3 not in [1, 2] }} {{ 'b' in 'abc' }} {{ not 1 == 2 }}", "True False True True True")]
    [InlineData("{{ 'x' if false else 'y' }}{{ 'x' if false }}", "y")]
    [InlineData("{{ [1, 'two', none, {'k': 'v'}] }}", "[1, 'two', None, {'k': 'v'}]")]
    [InlineData("{{ (1, 2)[0] }}{{ [1, 2, 3][-1] }}{{ [1, 2, 3, 4][::2] }}{{ 'abcdef'[1:-1] }}{{ 'abc'[::-1] }}", "13[1, 3]bcdecba")]
    [InlineData("{{ 'a😀b'[1] }}{{ 'a😀b' | length }}", "😀3")]
    [InlineData("{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{% if not loop.last %},{% endif %}{% endfor %}", "10TrueFalse,21FalseFalse,32FalseTrue")]
    [InlineData("{% for x in [1, 2, 3, 4] if x % 2 == 0 %}{{ x }}{% else %}none{% endfor %}{% for x in [] %}{% else %}none{% endfor %}", "24none")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2")]
    [InlineData("{% for x in [1, 2, 3, 4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}", "13")]
    [InlineData("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% set n = namespace(x=1) %}{% for i in [1] %}{% set n.x = n.x + 1 %}{% endfor %}{{ n.x }}", "2")]
    [InlineData("{% set x %}a{{ 1 }}{% endset %}{{ x | upper }}", "A1")]
    [InlineData("{% if nothing is defined %}a{% elif nothing %}b{% else %}c{% endif %}{{ nothing }}", "c")]
    [InlineData("{{ nothing | default('d') }}{{ '' | default('e', true) }}{{ none is none }}{{ 3 is odd }}{{ 6 is divisibleby 3 }}{{ 1 is not string }}", "deTrueTrueTrueTrue")]
    [InlineData("{{ '  a ' | trim }}|{{ ' a '.lstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'a,b,c'.split(',')[1] }}|{{ 'ab'.startswith('a') }}", "a|a |a|b|True")]
    [InlineData("{{ {'a': [1, 2.5, true, none, 'q\"\\n']} | tojson }}", "{\"a\": [1, 2.5, true, null, \"q\\\"\\n\"]}")]
    [InlineData("{{ {'a': [1], 'b': {}} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")]
    [InlineData("{{ range(3) | join('-') }}{{ range(5, 0, -2) | list }}", "0-1-2[5, 3, 1]")]
    [InlineData("{{ [{'r': 'a', 'n': 1}, {'r': 'b', 'n': 2}] | selectattr('r', 'equalto', 'b') | map(attribute='n') | first }}", "2")]
    [InlineData("a {#- gone -#} b", "ab")]
    [InlineData("{{ 'a<b c>d</b><!-- <i> > -->e<!-- f>g <h' | striptags }}|{{ '<!-->x-->y' | striptags }}", "adeg <h|y")]
    [InlineData("{{ ('<!-- >' * 1000000) | striptags }}{{ ('<' * 4000000) | striptags | length }}", "4000000")]
    [InlineData("a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc")]
    [InlineData("a\n  {{ 1 }}\nb", "a\n  1\nb")]
    [InlineData("a  {%- if true -%}  b  {%- endif %}  c", "ab  c")]
    [InlineData("{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}", "}}1")]
    [InlineData("{{ 'a' 'b' }}{{ \"\\u00e9\\x41\\n\\q\" }}", "abéA\n\\q")]
    public void The_language_means_what_it_means_in_the_reference(string source, string expected) => Assert.Equal(expected, Render(source));

    [Theory]
    [InlineData("{% if %}", "line 1")]
    [InlineData("a\nb {{ 1 +", "line 2")]
    [InlineData("{% if true %}", "'endif' is missing")]
    [InlineData("{{ 'a }}", "a string is not closed")]
    [InlineData("{# a", "a comment is not closed")]
    [InlineData("{% frobnicate %}", "'frobnicate' is not known")]
    [InlineData("{{ 1 | frobnicate }}", "'frobnicate' is not known")]
    [InlineData("{{ 1 is frobnicated }}", "'frobnicated' is not known")]
    [InlineData("{{ raise_exception('my words') }}", "my words")]
    [InlineData("{{ nothing.at_all }}", "'nothing', which is undefined")]
    [InlineData("{{ 1 + 'a' }}", "an integer + a string")]
    [InlineData("{{ 1 / 0 }}", "divides by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "beyond 64 bits")]
    [InlineData("{{ 3 ** 100000000 }}", "beyond 64 bits")]
    [InlineData("{{ -9223372036854775807 - 1 // 0 }}", "divides by zero")]
    [InlineData("{{ 'a'() }}", "calls a string")]
    [InlineData("{{ '%d' % 'a' }}", "needs an integer")]
    [InlineData("{{ '%1000000000d' % 3 }}", "beyond reason")]
    [InlineData("{{ 'a'.ljust(1000000000000) }}", "more than")]
    [InlineData("{{ messages.append(1) }}", "may not")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{% for x in [[]] recursive %}{{ loop([x]) }}{% endfor %}", "deep")]
    [InlineData("{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "takes 1")]
    [InlineData("{{ ''.__class__.__mro__ }}", "undefined")]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "more than")]
    [InlineData("{{ range(1000000000000) }}", "more than")]
    [InlineData("{% set t = 'ab' * 2000000 %}{{ t.find('ab' * 500000 + 'bb' + 'ab' * 500000) }}", "more than")]
    [InlineData("{{ ('a' * 4000000) | trim('b' * 4000000 + 'a') }}", "more than")]
    [InlineData("{% set l = range(2000000) %}{% for i in l %}{% set r = l | reverse %}{% endfor %}", "more than")]
    [InlineData("{{ 'a' * 1000000000000 }}", "more than")]
    [InlineData("{{ 'a' | indent(2000000000) }}", "indents by 2000000000")]
    [InlineData("{{ messages | tojson(indent=2000000000) }}", "indents JSON by 2000000000")]
    [InlineData("{% set t = 'ab' * 2000000 %}{{ t.rfind('ab' * 500000 + 'bb' + 'ab' * 500000) }}", "more than")]
    [InlineData("{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}", "more than")]
    [InlineData("{% for i in range(1000000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}", "more than")]
    [InlineData("{% set n = namespace(x=[]) %}{% for i in range(5000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x | tojson }}", "deep")]
    [InlineData("{% set n = namespace(x=(), y=()) %}{% for i in range(200000) %}{% set n.x = (n.x,) %}{% set n.y = (n.y,) %}{% endfor %}{{ {n.x: 1, n.y: 2} | length }}", "deep")]
    [InlineData("{% set n = namespace(x=[]) %}{% for i in range(5000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x == n.x }}{{ n.x }}", "deep")]
    public void What_goes_wrong_is_said(string source, string said) =>
        Assert.Contains(said, Assert.Throws<ChatTemplateException>(() => Render(source)).Message);

    [Theory]
    [InlineData("(", "")]
    [InlineData("[", "")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    [InlineData("1+", "1")]
    [InlineData("{'a':", "")]
    [InlineData("a if ", "")]
    public void Deep_nesting_is_an_error_and_no_crash(string part, string end)
    {
        string source = "{{ " + string.Concat(Enumerable.Repeat(part, 50_000)) + end + " }}";
        Assert.Throws<ChatTemplateException>(() => Render(source));
    }

    [Fact]
    public void Deeply_nested_statements_are_an_error_and_no_crash() =>
        Assert.Throws<ChatTemplateException>(() => Render(string.Concat(Enumerable.Repeat("{% if true %}", 20_000))));

    [Fact]
    [Trait("Category", "BadInput")]
    public void A_damaged_template_is_a_typed_error_or_no_error()
    {
        const string Good = "{%- set n = namespace(i=0) -%}{% for m in messages[::-1] %}{% if m.role == 'user' and 'x' not in m['content'] %}{{ '<|' ~ m.content[1:-1] | trim + '|>' }}{% elif loop.last %}{{ m | tojson(indent=2) }}{% else %}{# c #}{{ m.content.split('a', 1)[0].strip('b') }}{% endif %}{% set n.i = (n.i + 1) % 3 %}{% endfor %}";
        const string Signs = "{}%#[]()|.,:~+-*/'\"\\<>=! \n0a9_";
        // CsCheck prints the seed of a failure.
        Gen.Select(Gen.Int[0, Good.Length - 1], Gen.Int[0, Signs.Length - 1], Gen.Int[0, 3]).Array[1, 5].Sample(
            changes =>
            {
                string source = Good;
                foreach ((int at, int sign, int removed) in changes)
                {
                    int from = Math.Min(at, source.Length);
                    source = source[..from] + Signs[sign] + source[Math.Min(source.Length, from + removed)..];
                }

                try
                {
                    Render(source);
                }
                catch (ChatTemplateException)
                {
                }
            },
            iter: 5000);
    }

    [Fact]
    public void A_template_that_takes_seconds_is_ended()
    {
        JinjaTemplate template = JinjaTemplate.Parse("{% for i in range(1000000) %}{% endfor %}");
        ChatTemplateException error = Assert.Throws<ChatTemplateException>(() => template.Render([], new HastyClock()));
        Assert.Contains("longer than 10 seconds", error.Message, StringComparison.Ordinal);
    }

    private static string Render(string source)
    {
        JinjaMap message = new();
        message.Set(JinjaText.Trusted("role"), JinjaText.FromUser("user"));
        message.Set(JinjaText.Trusted("content"), JinjaText.FromUser(" banana "));
        return JinjaTemplate.Parse(source).Render([new("messages", new JinjaList([message, message]))], s_stopped).Text;
    }

    /// <summary>Shows a second more at each look.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds++;
    }
}
