using System.Text;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Chat templates that use all of the language, and some that are after the reader's time and memory.</summary>
internal static class TemplateSeeds
{
    // Every other place in t begins and ends like p, and differs in the middle only: the worst for a search that looks at both ends first.
    private const string LongSearch = "{% set p = 'ab' * 500000 + 'bb' + 'ab' * 500000 %}{% set t = 'ab' * 2000000 %}";

    private static readonly (string Name, string Source)[] s_sources =
    [
        ("ChatML", "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m.content | trim + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{- '<|im_start|>assistant\\n' -}}{% endif %}"),
        ("system and turns", """
            {%- if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set rest = messages[1:] %}
            {%- else %}{% set rest = messages %}{%- endif %}
            {#- a comment -#}
            {%- for message in rest %}
                {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate ' ~ loop.index) }}{%- endif %}
                {{- loop.first and system is defined and '<<' ~ system ~ '>>' or '' }}[{{ message['role'] | upper }}] {{ message.content.split('</think>')[-1].strip('\n') }}
            {%- else %}nothing{%- endfor %}{{ eos_token }}
            """),
        ("macro and namespace", """
            {%- macro show(x, n=2) -%}{% for i in range(n) %}{{ x }}{{ "," if not loop.last }}{% endfor %}{%- endmacro -%}
            {%- set ns = namespace(found=false, count=0) -%}
            {%- for m in messages if m.role != "system" -%}{% set ns.count = ns.count + 1 %}{% if loop.previtem is defined %}{% set ns.found = true %}{% endif %}{%- endfor -%}
            {{ show("a" * 3, n=ns.count) }}{{ ns.found }}
            """),
        ("filters and tests", """
            {{ messages | map(attribute='role') | join(', ') }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}
            {{ messages | tojson(indent=2) }}{{ {'a': [1, 2.5, none, true], "b": {'c': 'd'}} | tojson }}{{ [3, 1, 2] | sort | first }}{{ 'x,y' | replace(',', ';') }}
            {{ strftime_now('%d %b %Y %H:%M:%S') }}{{ messages | rejectattr('content') | list }}{{ "abc"[::-1] }}{{ "\u00e4b"[1:] }}{{ messages[-1]['content'][0:2] }}
            {{ 7 // 2 }}{{ 7 % 3 }}{{ 2 ** 10 }}{{ 1 / 3 }}{{ -5 }}{{ not true }}{{ 1 < 2 <= 3 }}{{ 'a' in 'abc' }}{{ 3 not in [1, 2] }}{{ x is undefined }}{{ 4 is divisibleby 2 }}
            {{ 'hello world' | title }}{{ ' x ' | trim | capitalize }}{{ y | default('z') }}{{ [1, [2, 3]] | string }}{{ "a b".split() }}{{ {'k': 1}.items() | list }}{{ 'x' | indent(4, true) }}
            """),
        ("loops", """
            {% for k, v in {'a': 1, 'b': 2}.items() %}{% if v == 2 %}{% break %}{% endif %}{{ k }}={{ v }}{% if k == 'a' %}{% continue %}{% endif %}{% endfor %}
            {% for i in range(1, 10, 3) %}{{ loop.index }}{{ loop.revindex }}{{ loop.length }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{% endfor %}
            {% set text %}block {{ 1 }}{% endset %}{{ text }}{% set a, b = 1, 2 %}{{ a ~ b }}{% generation %}x{% endgeneration %}{% raw %}{{ y }}{% endraw %}
            {% filter upper %}abc{% endfilter %}{% call show() %}z{% endcall %}
            """),
        ("nested", new string('(', 150) + "1" + new string(')', 150)),
    ];

    private static readonly (string Name, string Source)[] s_heavy =
    [
        ("work", "{% for a in range(9000) %}{% for b in range(9000) %}{% for c in range(9000) %}{{ a }}{% endfor %}{% endfor %}{% endfor %}"),
        ("growth", "{% set ns = namespace(t='0123456789') %}{% for i in range(64) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}"),
        ("find", LongSearch + "{{ t.find(p) }}"),
        ("in", LongSearch + "{{ p in t }}"),
        ("replace", LongSearch + "{{ t.replace(p, '') | length }}"),
        ("split", LongSearch + "{{ t.split(p) | length }}"),
        ("trim", "{% set p = 'b' * 4000000 + 'a' %}{{ ('a' * 4000000) | trim(p) | length }}"),
        ("compare", "{% set t = 'a' * 8000000 %}{% set u = 'a' * 8000000 + 'b' %}{% for i in range(1000000) %}{{ t < u }}{{ u.startswith(t) }}{% endfor %}"),
        ("reverse", "{% set l = range(2000000) %}{% for i in range(1000000) %}{% set r = l | reverse %}{% endfor %}"),
        ("join", "{% set l = '' | default(range(1000000)) %}{% for i in range(1000000) %}{% set r = range(100000) | map('default', '') | join %}{% endfor %}"),
        ("key", "{% set k = 'a' * 8000000 %}{% for i in range(1000000) %}{{ messages[0][k] }}{{ messages[0].get(k) }}{% endfor %}"),
        ("number", "{% set k = '1' * 8000000 %}{% for i in range(1000000) %}{{ k | int }}{{ k | float }}{% endfor %}"),
        ("time", "{% set k = '%A' * 4000000 %}{% for i in range(1000000) %}{% set x = strftime_now(k) %}{% endfor %}"),
        ("negative", "{{ " + new string('-', 60) + "1 }}"),
        ("lists", "{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{{ ns.l | length }}{{ ns.l == ns.l }}{{ ns.l | tojson(indent=100000) }}"),
    ];

    private static readonly string[] s_words =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{{-", "-}}", "{%-", "-%}", "{%+", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "~", "+", "-", "*", "/", "//", "%", "**", "==", "!=",
        "<", ">", "<=", ">=", "=", " if ", " else ", " elif ", " is ", " in ", " not ", " and ", " or ", "not ", "{% if true %}", "{% else %}", "{% endif %}", "{% for x in messages %}",
        "{% endfor %}", "{% set x = ", "{% set x %}", "{% endset %}", "{% macro f(a, b=1) %}", "{% endmacro %}", "{% break %}", "{% continue %}", "{% raw %}", "{% endraw %}",
        "{% generation %}", "{% endgeneration %}", "{% filter upper %}", "{% endfilter %}", "{% call f() %}", "{% endcall %}", "{% include 'x' %}", "'", "\"", "\\", "\\u0041", "\\ud800",
        "\\x", "0", "1", "-1", "9223372036854775807", "9223372036854775808", "1e400", "0.5", "1000000", "none", "true", "messages", "messages[0]", "loop", "loop.index", "ns", "namespace(",
        "range(", "range(1000000)", "dict(", "raise_exception(", "strftime_now(", "|tojson", "|tojson(indent=9)", "|length", "|trim", "|join(", "|map(", "|map('upper')", "|map(attribute=",
        "|select(", "|selectattr(", "|reject(", "|sort", "|reverse", "|unique", "|first", "|last", "|list", "|string", "|int", "|float", "|round", "|abs", "|sum", "|min", "|max", "|items",
        "|dictsort", "|replace(", "|default(", "|indent(", "|batch(", "|slice(", "|groupby(", "|safe", "|escape", "|e", "|lower", "|upper", "|title", "|capitalize", "|count", "|format(",
        ".items()", ".keys()", ".values()", ".get(", ".split(", ".strip(", ".lstrip(", ".rstrip(", ".startswith(", ".endswith(", ".replace(", ".find(", ".join(", ".format(", ".append(",
        ".pop(", ".upper()", ".lower()", ".title()", ".splitlines()", "[::-1]", "[1:]", "[-1]", "[:", "[0]", " is defined", " is none", " is string", " is mapping", " is iterable",
        "\u00e4", "\ud83d\ude00", "\u0130", "\u00df", "\r\n", "\n", "\t", "\0", "\u2028", "\ufeff",
    ];

    public static IReadOnlyList<FuzzSeed> All() => 
    [
        .. s_sources.Select(source => FuzzSeed.Text(source.Name, source.Source)),
        .. s_heavy.Select(source => FuzzSeed.Text(source.Name, source.Source) with { IsHeavy = true }),
    ];

    public static IReadOnlyList<byte[]> Words() => [.. s_words.Select(Encoding.UTF8.GetBytes), [0xFF], [0xED, 0xA0, 0x80]];
}
