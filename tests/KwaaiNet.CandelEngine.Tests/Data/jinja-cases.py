"""Writes jinja-cases.json: small templates of our own with what the reference Jinja renders for each, or that it raises.

    python3 jinja-cases.py > jinja-cases.json      (needs jinja2; made with 3.1.6)

The environment is the one Hugging Face's libraries give chat templates: immutable and sandboxed, trim_blocks, lstrip_blocks, loop controls,
a tojson that leaves characters as they are, raise_exception, and generation blocks. Left out is what the engine leaves out: integers beyond
64 bits, pages for the web (autoescape, urlize, xmlattr), random choices, bytes, and the insides of Python's objects.
"""
import itertools
import json
import random
import re
import sys

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
env.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
    x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
env.globals["raise_exception"] = raise_exception

NAMES = {
    "s": "Hello, World", "e": "", "u": "naïve 😀 ÄÖÜ", "q": "it's \"quoted\"\n\tand <b>tabbed</b> & more", "w": "  spaced  out  ",
    "n": 42, "z": 0, "m": -7, "f": 2.5, "g": 1e20, "t": True, "x": None,
    "l": [3, 1, 2], "k": [], "ls": ["b", "A", "c", "B"], "ll": [[1, 2], [3, 4]], "mixed": [1, "a", None, 2.5, True],
    "d": {"b": 1, "a": 2, "C": 3}, "dd": {"x": {"y": [1, {"z": "deep"}]}}, "o": {},
    "people": [{"name": "Ann", "age": 30, "city": "Oslo"}, {"name": "bob", "age": 25, "city": "Rome"}, {"name": "Cy", "age": 30, "city": "Oslo"}],
    "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Hello!", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1, "b": "é"}}}]}],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
}

VALUES = ["s", "e", "u", "q", "w", "n", "z", "m", "f", "g", "t", "x", "l", "k", "ls", "ll", "mixed", "d", "dd", "o", "people", "missing"]

FILTERS = """abs attr('a') batch(2) batch(2, '-') capitalize center(9) count d('D') d('D', true) default('D') dictsort dictsort(by='value') dictsort(true) dictsort(reverse=true)
first float float(1.5) forceescape format(1) escape e groupby('city') indent indent(2) indent(2, true) indent(2, true, true) indent('> ') int int(7) int(base=16) items join join(', ') join('-', 'name') last length list
lower map('upper') map(attribute='name') map(attribute='x', default='?') max min pprint random reject reject('odd') rejectattr('age', 'gt', 26) replace('l', 'L') replace('l', 'L', 1) reverse
round round(1) round(0, 'floor') round(method='ceil') safe select select('string') selectattr('age') selectattr('age', 'equalto', 25) slice(2) slice(2, 'x') sort sort(true) sort(reverse=true) sort(case_sensitive=true) sort(attribute='age')
sort(attribute='age,name') string striptags sum sum(start=10) sum(attribute='age') title tojson tojson(indent=2) tojson(sort_keys=true) tojson(ensure_ascii=true) tojson(separators=(',', ':')) trim trim('o') truncate truncate(8) truncate(8, true) truncate(8, true, '!', 0) unique
unique(true) unique(attribute='city') upper urlencode wordcount xmlattr filesizeformat filesizeformat(true) max(attribute='age') min(attribute='name') nosuchfilter""".split("\n")
FILTERS = [f for line in FILTERS for f in re.findall(r"\w+(?:\([^)]*\)*\))?", line)]
FILTERS = [f for f in FILTERS if f not in ("random", "pprint", "xmlattr", "forceescape", "escape", "e")]

TESTS = """boolean callable defined divisibleby(3) divisibleby(0) eq(42) equalto('e') escaped even false filter float ge(1) gt(1) in([42,'x']) in('Hello, World!') integer iterable le(1) lower lt(1)
mapping ne(42) none number odd sameas(none) sequence string test true undefined upper nosuchtest""".split()

METHODS = """s.upper() s.lower() s.title() s.capitalize() s.swapcase() s.casefold() s.strip('Hd') s.lstrip('H') s.rstrip('d') s.split() s.split(',') s.split('l', 1) s.rsplit('l', 1) s.partition(',') s.rpartition('o') s.partition('zz')
s.startswith('He') s.startswith(('x','H')) s.startswith('l',2) s.endswith('ld') s.endswith(('x','d')) s.find('o') s.find('o',5) s.rfind('o') s.index('o') s.index('zz') s.count('l') s.replace('l','L') s.replace('l','L',1) s.replace('','-')
s.isdigit() s.isalpha() s.isalnum() s.isupper() s.islower() s.isspace() s.istitle() s.isnumeric() s.isdecimal() s.isidentifier() s.isascii() s.zfill(15) s.center(20) s.center(20,'*') s.ljust(20,'.') s.rjust(20) s.join(['a','b']) s.join('ab') s.join([1])
s.removeprefix('He') s.removesuffix('ld') s.splitlines() q.splitlines() q.splitlines(true) s.expandtabs() q.expandtabs(4) s.format(1) '{}-{}'.format(1,'a') '{0}{1}{0}'.format('a','b') '{x}'.format(x=1) '{:>5}|{:<5}|{:^5}'.format(1,2,3) '{:.2f}'.format(f) '{:05d}'.format(n) '{!r}'.format(s)
u.upper() u.lower() u.title() u.split(' ') u.find('Ä') u.count('') w.split() w.split(' ') w.strip() w.lstrip() w.rstrip() e.split() e.split(',') '1'.isdigit() '²'.isdigit() 'A'.isupper() ' '.isspace()
d.items() d.keys() d.values() d.get('a') d.get('zz') d.get('zz',5) d.copy() d.pop('a') d.update({'q':1}) d.items()|list d.keys()|list d.values()|list d.a d['a'] d.zz d['zz'] d.items d['items'] dd.x.y[1].z dd['x']['y'][0] dd.x.y.1.z dd.q.r
l.append(1) l.index(1) l.count(1) l.copy() l.index(9) l.sort() l.reverse() l.pop() l[0] l[-1] l[5] l[1:] l[:-1] l[::-1] l[::2] l['a'] s[0] s[-1] s[50] s[2:5] s[::-1] s[-3:] u[6] u[6:8] mixed[1:4] l.0 s.upper s.__class__ s.__len__() l.__class__.__mro__
s|upper|lower|title messages[0]['role'] messages[-1].tool_calls[0].function.name messages[1:]|length messages|map(attribute='role')|join(',') messages|selectattr('role','equalto','user')|list|length messages[-1].tool_calls|tojson people|map(attribute='name')|map('upper')|list people|groupby('city')|map('first')|list
people|map(attribute='name')|sort people|sort(attribute='name')|map(attribute='name')|list people|sum(attribute='age') people|selectattr('age','gt',26)|map(attribute='name')|list (people|first).name people[0].items()|list range(3) range(3)|list range(2,5)|list range(5,0,-2)|list range(0) range(3)[1] range(3)|last range(10)|batch(3)|list
dict(a=1,b=2) dict({'a':1},b=2) dict() namespace(a=1).a namespace({'b':2}).b joiner(',') cycler('a','b').next() lipsum joiner(', ')() [1,2]|first|string (1,2) (1,) () [(1,2),(3,)] {'a':(1,2)} {1:'a',2.5:'b',none:'c',true:'d'} {'a':1,'a':2} {1:2}[1] {(1,2):3} [none,true,1.0,'x'] {'it\\'s':"q"} 'a\\'b'
"""
METHODS = [m for line in METHODS.strip().split("\n") for m in re.findall(r"(?:[^\s()\[\]{}'\"]|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\((?:[^()'\"]|'(?:\\.|[^'\\])*'|\"[^\"]*\"|\((?:[^()'\"]|'(?:\\.|[^'\\])*')*\))*\)|\[(?:[^\[\]'\"]|'(?:\\.|[^'\\])*'|\([^()]*\))*\]|\{(?:[^{}'\"]|'(?:\\.|[^'\\])*'|\"[^\"]*\")*\})+", line)]

EXPRESSIONS = r"""
1 + 2 * 3 - 4 // 3 ; 7 / 2 ; 6 / 2 ; -7 // 2 ; -7 % 3 ; 7 % -3 ; 2 ** 10 ; 2 ** -1 ; -2 ** 2 ; 2 ** 3 ** 2 ; 1e3 ; 1.5e-7 ; 1_000 ; 0x10 ; 0b11 ; 0o17 ; 1.0 ; 0.1 + 0.2 ; 1e16 ; 1e15 ; 123456789.0 ; 1/3 ; 5.0 // 2 ; -5.5 % 2 ; 1e300 * 1e10
1 / 0 ; 1 // 0 ; 1 % 0 ; 1.0 / 0 ; 9223372036854775807 ; 'a' + 'b' ; 'a' + 1 ; 1 + 'a' ; 'a' * 3 ; 3 * 'a' ; 'a' * 0 ; [1] * 3 ; 2 * [1, 2] ; [1] + [2] ; (1,) + (2,) ; [1] + (2,) ; 'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1, 'b'] ; 1 ~ 2 ; true + true ; true * 3 ; none + 1 ; -true ; +'a' ; -'a' ; - 5 ; + 5 ; --5
1 < 2 < 3 ; 3 > 2 > 2 ; 1 == 1.0 ; 1 == true ; '1' == 1 ; none == none ; [1, 2] == [1, 2] ; [1, 2] == (1, 2) ; {'a': 1} == {'a': 1} ; 'a' < 'b' ; 'a' < 1 ; [1, 2] < [1, 3] ; (1, 'a') < (1, 'b') ; none < 1 ; 1 != 2 ; missing == missing ; missing == none ; missing != 1 ; missing < 1 ; missing + 1 ; missing ~ 'a' ; -missing
1 in [1, 2] ; 3 not in [1, 2] ; 'b' in 'abc' ; '' in 'abc' ; 1 in 'abc' ; 'a' in d ; 1 in d ; 'a' in none ; 'a' in missing ; 'a' in 5 ; none in [none] ; [1] in [[1]] ; not 1 == 2 ; not not 1 ; not [] ; 1 and 2 ; 0 and 2 ; 0 or 'x' ; '' or none ; none or [] ; 1 and 0 or 3 ; true and false ; not true or true
'a' if true else 'b' ; 'a' if false else 'b' ; 'a' if false ; 'a' if missing ; ('a' if false) is defined ; 1 if 0 else 2 if 0 else 3 ; [1, 2][0 if false else 1] ; 'x' if s == 'Hello, World' and n > 3 else 'y'
'%s' % 'a' ; '%s-%s' % ('a', 1) ; '%d' % 3.7 ; '%05.2f' % 3.14159 ; '%x %X %o' % (255, 255, 8) ; '%e' % 12345.678 ; '%g %g' % (1e10, 0.0001) ; '%%' % () ; '%c' % 65 ; '%r' % 'a' ; '%10s|%-10s|' % ('a', 'b') ; '%(a)s' % {'a': 1} ; '%d' % 'a' ; '%s' % none ; '%s %s' % (1,) ; '%s' % (1, 2) ; '%+d % d' % (3, 4) ; '%s' % [1, 2] ; '%.3s' % 'abcdef' ; '%i' % true
'a' 'b' ; 'a\nb' ; 'a\tb\\n' ; 'é\u00e9\x41\U0001F600' ; "it's" ; 'say "hi"' ; '\'' ; '\q' ; '\101' ; '\0' ; "a\
b"
true ; false ; none ; True ; False ; None ; TRUE ; missing ; missing.a ; missing['a'] ; missing() ; missing.a.b ; missing|length ; missing|list ; missing|upper ; missing is defined ; missing is none ; missing|default('x') ; (missing|default({})).a ; missing|default(missing2)|default('y') ; x.a ; x['a'] ; n.a ; n['a'] ; n() ; s() ; l() ; d()
s is string and n is number ; n is not string ; s is not none ; n is divisibleby 7 ; n is divisibleby(7) and true ; 3 is odd ; l is iterable ; s is in ['a'] ; n is in l ; n is eq 42 ; n is equalto 42 ; n is sameas n ; n is gt 3 and n is lt 50 ; n > 1 is true ; 1 is defined is true ; n is number is boolean ; not n is none ; n is not defined ; d is mapping ; range is callable ; s.upper is callable ; missing is callable
s | upper ~ '!' ; -1 | abs ; (-1) | abs ; 1 + 2 | string ; 'a' + 'b' | upper ; [1, 2, 3] | sum * 2 ; l | sort | join(',') ; s|length > 5 ; not s|length ; n|string|length ; 'a,b'|replace(',', ';')|upper ; {'a': 1}|length ; 'abc'|list ; 'abc'|reverse ; [1,2]|reverse|list ; 'abc'|first ; ''|first ; []|last ; l|max ; l|min ; k|max ; ls|max ; 1|max ; 3.7|int ; '3.7'|int ; '0x1f'|int(0, 16) ; 'zz'|int ; '12abc'|int ; ' 12 '|int ; '1e3'|float ; 'nan'|float ; 'inf'|float ; none|int ; true|int ; 2.5|round ; 3.5|round ; 2.675|round(2) ; -2.5|round ; 1234|round(-2) ; 42|round(1, 'ceil')
"""
EXPRESSIONS = [e.strip() for e in re.split(r" ; |\n(?=[^\n]{2})", EXPRESSIONS.strip())]

STATEMENTS = [
    # White space
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n{%- if true %}\n b\n{%- endif %}\n c", "a {%- if true -%} b {%- endif -%} c", "{% if true +%}\n b{% endif %}", "a\n  {%+ if true %}b{% endif %}", "a  {{- 1 -}}  b", "a\n {{ 1 }}\n b\n\n", "a\n\n", "a\n", "\na",
    "{# c #}\nx", "  {# c #}\nx", "a {#- c -#} b", "a {# {{ 1 }} {% if %} #} b", "{{ '{{' }}{{ '%}' }}", "{% raw %}{{ a }}{% b %}{% endraw %}", "a\n  {% raw %}\n  x {{ y }}\n  {% endraw %}\nb", "{%- raw -%}  x  {%- endraw -%}  y", "{% raw %} {% endraw", "a\r\nb{% if true %}\r\nc{% endif %}", "  {% if true %}x{% endif %}  {% if true %}y{% endif %}\n  z",
    "{%if true%}x{%endif%}", "{{1}}{{2}}", "{{ 1 }", "{% if true }", "{{ }}", "{% %}", "x {% endif %}", "{% if %}x{% endif %}", "{{ 1 2 }}", "{{ 'a }}", "{# open", "{% unknown %}", "{{ a.b. }}", "{{ [1, }}", "{{ (1 }}", "{{ 1 + }}", "{{ f(a=1, 2) }}", "\t{% if true %}\n\tx\n\t{% endif %}\n",
    # if
    "{% if n > 40 %}a{% elif n %}b{% else %}c{% endif %}", "{% if x %}a{% elif e %}b{% else %}c{% endif %}", "{% if missing %}a{% endif %}b", "{% if l and d %}y{% endif %}", "{% if not k %}y{% endif %}", "{% if true %}{% set y = 1 %}{% endif %}{{ y }}",
    # for
    "{% for i in l %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}", "{% for i in k %}x{% else %}none{% endfor %}", "{% for i in missing %}x{% else %}none{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in s %}{{ c }}.{% endfor %}", "{% for i in 5 %}{{ i }}{% endfor %}", "{% for i in none %}{{ i }}{% endfor %}",
    "{% for a, b in ll %}{{ a + b }} {% endfor %}", "{% for a, b in l %}{{ a }}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}", "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}", "{% for i in l if i > 1 %}{{ loop.index }}:{{ i }}/{{ loop.length }} {% endfor %}", "{% for i in l if i > 9 %}x{% else %}none{% endfor %}", "{% for i in range(3) %}{{ i }}{% else %}e{% endfor %}",
    "{% for i in l %}{{ [loop.index, loop.index0, loop.revindex, loop.revindex0, loop.first, loop.last, loop.length, loop.depth, loop.depth0] }}{% endfor %}", "{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}", "{% for i in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}", "{% for i in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for i in [1, 1, 2, 2] %}{{ loop.changed(i) }} {% endfor %}", "{% for i in l %}{{ loop.nosuch }}{% endfor %}x", "{{ loop }}", "{% for i in l %}{% for j in l %}{{ loop.depth }}{% endfor %}{% endfor %}", "{% for i in l %}{% set outer = loop %}{% for j in [1] %}{{ outer.index }}{% endfor %}{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}@{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}", "{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% for i in l %}{% for j in l %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}", "{% break %}", "{% for i in l %}{% break %}{% else %}none{% endfor %}",
    "{% set y = 1 %}{% for i in l %}{% set y = i %}{{ y }}{% endfor %}{{ y }}", "{% for i in l %}{% set q2 = (q2 or 0) + i %}{{ q2 }}{% endfor %}", "{% for i in l %}{{ i }}{% endfor %}{{ i }}", "{% for loop in l %}{% endfor %}", "{% for i in l -%}\n  {{ i }}\n{%- endfor %}", "{% for i in [1, 2, 3][::-1] %}{{ i }}{% endfor %}", "{% for m in messages %}{{ m.role }}: {{ m['content'] }}\n{% endfor %}", "{% for i in (1, 2) %}{{ i }}{% endfor %}", "{% for i in 1, 2 %}{{ i }}{% endfor %}", "{% for k, v in d | dictsort %}{{ k }}{{ v }}{% endfor %}", "{% for g, items in people | groupby('city') %}{{ g }}:{{ items | length }} {% endfor %}", "{% for r in people | groupby('age') %}{{ r.grouper }}:{{ r.list | map(attribute='name') | join('+') }} {% endfor %}",
    # set, namespace, with
    "{% set y = 1 %}{{ y }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "{% set a, b = [1, 2, 3] %}{{ a }}", "{% set y %}x{{ n }}{% endset %}{{ y }}{{ y is string }}", "{% set y | upper %}abc{% endset %}{{ y }}", "{% set y | replace('a', 'b') | upper %}abc{% endset %}{{ y }}", "{% set ns = namespace(a=1, b='x') %}{% set ns.a = 2 %}{% set ns.c = 3 %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns.d }}", "{% set ns = namespace() %}{% for i in l %}{% set ns.v = (ns.v or 0) + i %}{% endfor %}{{ ns.v }}", "{% set ns = namespace(a=0) %}{% for i in l if i > 1 %}{% set ns.a = ns.a + 1 %}{% endfor %}{{ ns.a }}", "{% set d.a = 1 %}", "{% set ns = namespace(l=[]) %}{% set ns.l = ns.l + [1] %}{{ ns.l }}", "{% set y = [1, 2] %}{{ y[0] }}{% set y = y + [3] %}{{ y }}", "{% set y = 1 if x else 2 %}{{ y }}", "{% set y = 1, 2 %}{{ y }}", "{% set ns = namespace(a=1) %}{% set ns.a %}t{% endset %}{{ ns.a }}", "{% set _ = l.append(1) %}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% filter upper %}abc {{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}abc{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}",
    # macros
    "{% macro f(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(b=5, a=4) }}", "{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f() }}", "{% macro f(a) %}{{ a is defined }}{% endmacro %}{{ f() }}{{ f(1) }}", "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, z=3) }}", "{% macro f(a) %}x{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}x{% endmacro %}{{ f(1, z=2) }}", "{% macro f(a) %}x{% endmacro %}{{ f(1, a=2) }}", "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}", "{% macro f(a, b=n) %}{{ b }}{% endmacro %}{{ f(1) }}", "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro f() %}{{ n }}{% endmacro %}{% set n = 5 %}{{ f() }}", "{% macro f() %}{% set q2 = 1 %}{% endmacro %}{{ f() }}{{ q2 }}", "{% macro f() %}a\n{% endmacro %}[{{ f() }}]", "{{ f is defined }}{% macro f() %}{% endmacro %}{{ f is defined }}", "{% macro f(a) %}{{ f.name }}{{ f.arguments }}{% endmacro %}{{ f(1) }}", "{% macro f() %}x{% endmacro %}{{ f() | upper }}{{ f() ~ 'y' }}{{ f() == 'x' }}{{ f() is string }}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro f(x) %}{% for i in x %}{{ i }}{% endfor %}{% endmacro %}{{ f([1, 2]) }}{{ f('ab') }}", "{% macro f(l) -%}\n  {{ l }}\n{%- endmacro %}{{ f(1) }}", "{% for i in l %}{% macro f() %}{{ i }}{% endmacro %}{{ f() }}{% endfor %}", "{% macro f(*a) %}{% endmacro %}", "{% macro f() %}{{ caller() }}{% endmacro %}{{ f() }}",
    "{% macro f(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call f('b') %}x{{ n }}{% endcall %}", "{% macro f() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) f() %}{{ a }}{{ b }}{% endcall %}", "{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}{% call f() %}{% endcall %}", "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}", "{{ f(*[1, 2]) }}{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}", "{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(**{'a': 3, 'b': 4}) }}{{ f(1, **{'b': 2}) }}", "{{ s.replace(*['l', 'L']) }}",
    # others
    "{% generation %}x{{ n }}{% endgeneration %}", "{% generation %}{% set v = 1 %}{% endgeneration %}{{ v }}", "{{ raise_exception('no') }}", "{{ raise_exception('no') if false else 'ok' }}", "{% do l.append(1) %}", "{% include 'a' %}", "{% block b %}x{{ n }}{% endblock %}", "{{ cycler('a', 'b') }}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}", "{% set j = joiner('|') %}{% for i in l %}{{ j() }}{{ i }}{% endfor %}", "{{ ''.join(['a', 'b']) }}", "{{ messages | tojson }}", "{{ messages | tojson(indent=4) }}", "{{ people | tojson(indent=0) }}", "{{ {'a': f, 'b': g, 'c': 1e-7, 'd': 1.0} | tojson }}", "{{ {'a': missing} | tojson }}", "{{ '\\u2028<>&\\'\\x7f' | tojson }}", "{{ d | tojson(indent='\t') }}", "{{ [] | tojson(indent=2) }}{{ {} | tojson(indent=2) }}{{ [[]] | tojson(indent=2) }}", "{{ (1, 2) | tojson }}", "{{ {1: 2, none: 3, true: 4} | tojson }}", "{{ range(3) | tojson }}", "{{ s | tojson | tojson }}", "{{ u | tojson(ensure_ascii=true) }}",
    "{{ messages[0] }}", "{{ 'a' | safe + '<' }}{{ '<' + 'b' | safe + q }}{{ ('<' | safe) ~ '<' }}{{ '<' | e | e }}{{ '<' | safe | e }}", "{{ '<' | safe is escaped }}{{ '<' is escaped }}", "{{ none | map('upper') | list }}{{ none | selectattr('a') | list }}{{ 0 | select | list }}", "{{ [q] }}", "{{ ['\\\\', '\\n', '\\x01', '\\u00a0', '\\u200b', '😀'] }}", "{{ d.items() }}{{ d.keys() }}{{ d.values() }}", "{{ [1, 2] is sequence }}{{ 'a' is sequence }}{{ d is sequence }}{{ range(2) is sequence }}{{ d.items() is sequence }}", "{{ [1, 2, 3] | select('odd') }}", "{{ (1, 2) is iterable }}{{ n is iterable }}", "{{ l | map('string') | list }}{{ l | map('multiply') | list }}", "{{ ls | sort }}{{ ls | sort(case_sensitive=true) }}{{ ls | unique | list }}", "{{ [1, 'a'] | sort }}", "{{ [[2], [1]] | sort }}", "{{ people | map(attribute='nosuch') | list }}", "{{ people | map(attribute='nosuch', default='-') | list }}", "{{ people | selectattr('nosuch') | list }}", "{{ people | rejectattr('nosuch', 'defined') | list | length }}", "{{ dd | map(attribute='y') | list }}", "{{ [dd] | map(attribute='x.y.0') | list }}",
]


def case(source):
    try:
        output = env.from_string(source).render(**json.loads(json.dumps(NAMES)))
        # Some objects print their address; integers beyond 64 bits are left out.
        return {"source": source, "output": output} if not re.search(r" at 0x|(?<![\d.])\d{19,}(?![\d.e])", output) else None
    except Exception:
        return {"source": source, "raises": True}


def sources():
    yield from STATEMENTS
    yield from ("{{ %s }}" % e for e in EXPRESSIONS + METHODS)
    yield from ("{{ %s | %s }}" % (v, f) + "" for v, f in itertools.product(VALUES, FILTERS))
    yield from ("{{ %s | %s | list }}" % (v, f) for v in ("l", "s", "ls", "people", "mixed", "d") for f in FILTERS if f.split("(")[0] in ("batch", "map", "select", "selectattr", "reject", "rejectattr", "slice", "unique", "groupby", "reverse", "items"))
    yield from ("{{ %s is %s }}" % (v, t) for v, t in itertools.product(VALUES, TESTS))
    # Two operators between three values, as they come.
    draw = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    operators = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "**"]
    literals = ["1", "2", "-3", "0", "2.5", "'a'", "'ab'", "''", "true", "none", "[1, 2]", "[]", "(1,)", "{'a': 1}", "n", "s", "missing", "m"]
    for _ in range(600 if len(sys.argv) < 3 else int(sys.argv[2])):
        a, b, c = (draw.choice(signs) + draw.choice(literals) for signs in (["", "", "not ", "-"], ["", "", "-"], ["", "", "-"]))
        yield "{{ %s %s %s %s %s }}" % (a, draw.choice(operators), b, draw.choice(operators), c)


if __name__ == "__main__":
    cases = [c for c in (case(source) for source in dict.fromkeys(sources())) if c]
    out = open(1, "w", encoding="utf-8", newline="\n")
    out.write('{"jinja2": "%s",\n"names": %s,\n"cases": [\n' % (jinja2.__version__, json.dumps(NAMES, ensure_ascii=False)))
    out.write(",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]}\n")
