"""Writes Tests/Fixtures/regular_expressions.json: patterns of our own, with texts that they match and texts that they
do not, as PyPI's `regex` module judges them, and texts that PyPI's jsonschema finds to have a format or not.

    python Scripts/make_regex_fixture.py > Tests/Fixtures/regular_expressions.json

needs `regex` and `jsonschema[format]`. What ECMA-262 means by \\d \\w \\s \\b . and $ is written out for the judge.
"""

import itertools
import json
import random
import sys

import regex
from jsonschema import Draft202012Validator

WORD = "0-9A-Za-z_"
SPACE = r"\t\n\v\f\r \u00a0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
INSIDE = {"d": "0-9", "w": WORD, "s": SPACE}


def for_judge(pattern):
    """The same pattern as `regex` must be told it to read it as ECMA-262 does."""
    out, i, in_class = [], 0, False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            n = pattern[i + 1]
            i += 2
            if n in "dws":
                out.append(INSIDE[n] if in_class else f"[{INSIDE[n]}]")
            elif n in "DWS":
                out.append(f"[^{INSIDE[n.lower()]}]" if not in_class else negated_members(n))
            if in_class and n in "dwsDWS":
                if pattern[i : i + 1] == "-":
                    out.append("\\-")
                    i += 1
            elif n in "dwsDWS":
                pass
            elif n in "bB" and not in_class:
                edge = f"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
                out.append(edge if n == "b" else f"(?!{edge})")
            elif n == "u" and pattern[i : i + 1] == "{":
                end = pattern.index("}", i)
                out.append("\\U%08x" % int(pattern[i + 1 : end], 16))
                i = end + 1
            elif n == "c":
                out.append("\\x%02x" % (ord(pattern[i]) & 31))
                i += 1
            elif n == "/":
                out.append("/")
            elif n == "0":
                out.append("\\x00")
            else:
                out.append("\\" + n)
            continue
        i += 1
        if in_class:
            in_class = c != "]"
            out.append("\\[" if c == "[" else c)
        elif c == "[":
            in_class = True
            out.append(c)
            if pattern[i : i + 1] == "^":
                out.append("^")
                i += 1
        elif c == ".":
            out.append(r"[^\n\r\u2028\u2029]")
        elif c == "$":
            out.append(r"\Z")
        elif c == "(" and pattern[i : i + 2] == "?<" and pattern[i + 2] not in "=!":
            out.append("(?P<")
            i += 2
        else:
            out.append(c)
    return "".join(out)


def negated_members(letter):
    """What \\D, \\W or \\S adds to a class."""
    ranges = {
        "D": [(0x30, 0x39)],
        "W": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
        "S": [(9, 13), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
              (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)],
    }[letter]
    out, start = [], 0
    for low, high in ranges:
        if start < low:
            out.append("\\U%08x-\\U%08x" % (start, low - 1))
        start = high + 1
    out.append("\\U%08x-\\U0010ffff" % start)
    return "".join(out)


PATTERNS = r"""
^[a-z]+$ ab ^ab ab$ ^$ ^$|^[a-z]{3}$ ^a|b$ (^a|b$) ^(a|b)$ ^[\S]{3,8}$ ^\d+\$ ^[^\n]+$ ^[\x41-\x43]{2,4}$ a^b a$b
^\^a\$$ ^[$^]+$ ^(?:a|)b$ ^(|a)$ ^a{2}$ ^a{2,}$ ^a{2,4}$ ^a{0,2}b$ ^(ab){2,3}$ ^(a|bb){1,3}$ ^(a*)*$ ^(a?){3}b$ ^((a?){2}b){2}$
^a*?b+?c??$ ^a{1,3}?$ ^[\d\w.-]+$ ^[\w.-]+@[\w-]+\.\w{2,3}$ ^[^\S]$ ^[^\s\d]+$ ^[\D]+$ ^[\W\d]+$ ^\D\S\W$ ^[\s\S]*$ ^[\d\D]$
^[-a]+$ ^[a-]+$ ^[a\-z]+$ ^[\]a]+$ ^[\\]$ ^[.]$ ^[*+?(){}|]+$ ^[\^a]$ ^[a^]$ ^[\w-.]+$ ^[/]$ ^\/a$ ^[\b]$ ^\x61\u0062$ ^\u{1F600}$
^[\u4e00-\u9fff]+$ ^[\u{1F600}-\u{1F64F}]+$ ^[^a-z\u4e00-\u9fff]+$ ^[à-ü]+$ ^é$ ^\cA$ ^\t\n\r\f\v$ ^[\t-\r]$ ^\0$ ^.$ ^.{2}$ ^[^.]$
\bfoo\b ^\bfoo \Bfoo foo\B ^a\Bb$ ^a\b.b$ ^.\b.$ ^.\B.$ \b ^\b$ \B ^(?:\w+\b\s?)+$ ^\b(?:a|-)+\b$ ^(?!.*\bfoo\b).*$ ^(?=.*\bb).*$
^(?=a)ab$ ^(?=.*b)a.*$ ^(?!a)[ab]+$ ^(?!ab$)[ab]+$ ^(?!.*aa).*$ ^(?!.*(a|b)\w).*$ ^(?=.*a)(?=.*b).{2,3}$ ^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{3,}$
^(?:(?!ab).)*$ ^(?:(?!aa)[ab])+$ ^a(?=b)b?$ ^a(?!b).?$ a(?=b) a(?!b) ^(?:a(?=b|$)|b(?=a|$))*$ (?!^)b ^(?!$).*$ (?=b$) ^(?=(?!b).)a?b?$
^(?=ab|b)(?!.*bb).*$ (?<=a)b (?<!a)b ^(?<=a)b ^(?<!a)b ^.*(?<=ab)$ ^[ab]+(?<!a)$ ^(?:a|b(?<=ab))+$ (?<=^a)b (?<!^)b (?<=a(?=b))b (?<!a(?=b))b
(?<=(?<!b)a)b (?<=a|^)b$ ^(?:.(?<!bb))*$ (?<=\ba)b (?<!\bb)a (?<=a.)b(?=.a)|^b$ ^(?!.*(?<=a)b).*$ ^(?=.*(?<!a)b).*$ ^(?:(?<=^|b)a|b)+$
(?<x>a)b ^(?<first>a|b)(?<second>-)$ ^(?:(?:a))$ (((a)b)) a||b ^(a|ab)(c|bcd)?$ ^(?:a|a1|ab1)*$ ^x{a}$ ^{a}$ ^a{$ ^}$ ^]$ ^a{,b$
^(0|[1-9]\d*)$ ^-?\d+(\.\d+)?$ ^#[0-9a-fA-F]{6}$ ^[A-Z]{2}\d{2}$ ^\d{3}-\d{4}$ ^\+?[1-9]\d{1,14}$ ^(\([0-9]{3}\))?[0-9]{3}-[0-9]{4}$
^https?:\/\/[^\s/$.?#].[^\s]*$ ^[a-z0-9]+(?:-[a-z0-9]+)*$ ^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$ ^(?!-)[a-z0-9-]{1,5}(?<!-)$ ^(?:[01]\d|2[0-3]):[0-5]\d$
^\w+(?:\s\w+){1,2}$ ^\S+$ ^\s*$ \s ^\S(?:.*\S)?$ ^[^"\\]*$ ^"(?:[^"\\]|\\.)*"$ ^(?:a{1,2}b){1,2}$ ^(?:a{0,3}b{0,3}){0,2}$ ^(?:(?:a|b){2}){1,2}$ ^(?:a+b*)+$
^(?:ab?){2,3}$ ^(?:a?b?){2,4}a$ ^(?:(?:ab){1,2}a?){1,2}$ ^(?:a{2}){2,}$ ^(?:a{2,}){2}$ ^(?:(?=a)[ab]){1,3}$ ^(?:(?!bb)[ab]){2,4}$ ^(?:a\b|b|-){1,4}$
""".split()
PATTERNS += ["^a b$", "^[A-Z][a-z]*(?: [A-Z][a-z]*)*$", "^[a b]+$", "^\\w+ \\w+$", "^ ?a ?$", "^(a| b)+$", "", "(?:)", "^", "$", "^(?: |a)\\b", "a{2}|^b{3}$"]

LETTERS = ["a", "b", "c", "1", "_", "-", " ", ".", "é", "字", "\n", "$", "A", "\u00a0", "\U0001f600", "٣", "\\", '"']


def random_pattern(source, depth=0):
    """A pattern over few letters, so that short texts try it."""
    atoms = ["a", "b", "a", "b", "c", "1", "[ab]", "[^a]", ".", r"\w", r"\d", r"\W", r"\s", "[^b1]", r"[\d-]", "é", "-"]
    checks = [r"\b", r"\B", "^", "$"]
    parts = []
    for _ in range(source.randint(1, 3)):
        kind = source.random()
        if kind < 0.55 or depth > 2:
            part = source.choice(atoms)
        elif kind < 0.65:
            parts.append(source.choice(checks))
            continue
        elif kind < 0.78:
            parts.append(source.choice(["(?=%s)", "(?!%s)", "(?<=%s)", "(?<!%s)"]) % random_pattern(source, depth + 1))
            continue
        else:
            part = source.choice(["(%s)", "(?:%s)"]) % random_pattern(source, depth + 1)
        if source.random() < 0.45:
            part += source.choice(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?"])
        parts.append(part)
    result = "".join(parts)
    if source.random() < 0.25:
        result += "|" + random_pattern(source, depth + 1)
    if depth == 0 and source.random() < 0.5:
        result = "^(?:" + result + ")$"
    return result


def texts_for(pattern, source):
    letters = [c for c in pattern if c.isalnum() and c not in "dwsux"] or ["a"]
    short = ["".join(t) for n in range(5) for t in itertools.product("ab", repeat=n)]
    result = source.sample(short, 16)
    for _ in range(150):
        pool = source.choice([letters, LETTERS, letters + LETTERS[:8], ["a", "b", "-"]])
        result.append("".join(source.choice(pool) for _ in range(source.randint(0, 9))))
    # Texts of words that patterns of daily use ask for.
    result += ["foo", "a foo b", "food", "12", "1.5", "-3", "#00ff7f", "AB12", "555-1234", "(555)555-1234", "Ab Cd", "12:30"]
    result += ["https://a.b/c", "a-b-1", "v1.2.3-x", "1.20.3", "+4915", "x@y.de", '"a\\"b"', "\t\n\r\x0c\x0b", "\x00", "\x01"]
    result += ["aab", "aabaab", "ababab", "Ab1", "xX9", "x{a}", "{a}", "a{", "^a$", "]", "}", "a{,b", "a b", "/", "/a", ".", "\\", "$^", "ABC", "\b", "\t\r", "é", "字漢", "\U0001f600\U0001f64f"]
    return list(dict.fromkeys(result))


FORMATS = {
    "date": ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "2024-04-31", "2024-13-01", "2024-1-01",
             "2024-12-31", "x2024-12-31", "2024-12-31\n", "٢024-12-31"],
    "time": ["10:00:00Z", "10:00:00", "24:00:00Z", "10:60:00Z", "10:00:00.123+02:00", "10:00:00+24:00", "23:59:59-23:59", "10:00Z"],
    "date-time": ["2024-02-29T10:00:00Z", "2023-02-29T10:00:00Z", "2024-02-29 10:00:00Z", "2024-02-29T10:00:00",
                  "2024-06-30T23:59:59.999999+05:30", "2024-02-29T10:00:00.Z"],
    "duration": ["P1Y", "P1Y2M3DT4H5M6S", "PT5M", "P2W", "P", "PT", "1Y", "P1S", "P1Y2W", "PT1H3S"],
    "uuid": ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08aa9811eab4aa73b441d16380",
             "2eb8aa08-aa98-11ea-b4aa73b441d16380", "zeb8aa08-aa98-11ea-b4aa-73b441d16380"],
    "email": ["a@b.de", "ab.de", "a.b+c@d-e.org", ""],
    "hostname": ["example.com", "-a.com", "a-.com", "a..b", "a" * 64, "xn--4gbwdl.xn--wgbh1c", "localhost", "a_b.com", ""],
    "ipv4": ["127.0.0.1", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1.2.3.4\n"],
    "ipv6": ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1::2:3:4:5:6:7", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
             "1::2:3:4:5:6:7:8", "12345::", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.256", "fe80::1%eth0", ":1", "1:::2"],
    "uri": ["http://example.com/a?b=c#d", "mailto:a@b.de", "urn:isbn:123", "//example.com", "http://a b", "a/b", "http://[::1]:80/",
            "http://a.b/%zz", "http://a.b/%20", "file:///etc"],
    "uri-reference": ["/a/b", "a/b?c", "#x", "", "http://a.b", "\\a", "//a.b/c", "a b"],
    "iri": ["http://ƒøø.com/é", "/é", "http://a b"],
    "json-pointer": ["", "/a/b", "/a~0b/~1", "/a~b", "a", "/"],
    "relative-json-pointer": ["0", "1/a", "0#", "-1/a", "/a", "01/a"],
    "uri-template": ["http://a.b/{x}", "{?x,y*}", "{x", "http://a.b/{x:3}"],
    "regex": ["^a+$", "(a", "[a-z]*"],
}


def main():
    source = random.Random(13)
    patterns = list(PATTERNS)
    while len(patterns) < len(PATTERNS) + 250:
        pattern = random_pattern(source)
        if len(pattern) < 60:
            patterns.append(pattern)
    cases = []
    for pattern in patterns:
        try:
            judge = regex.compile(for_judge(pattern), regex.V0)
        except regex.error as problem:
            sys.exit(f"{pattern} as {for_judge(pattern)}: {problem}")
        accepted, refused = [], []
        for text in texts_for(pattern, source):
            (accepted if judge.search(text) else refused).append(text)
        if not accepted and pattern not in PATTERNS:
            continue
        # Those that pass are rare for most patterns: all of them, up to a number, and as many that do not.
        cases.append({
            "pattern": pattern,
            "accepted": source.sample(accepted, min(12, len(accepted))),
            "refused": source.sample(refused, min(14, len(refused))),
        })
    checker = Draft202012Validator.FORMAT_CHECKER
    formats = [
        {"format": name, "valid": [t for t in texts if checker.conforms(t, name)],
         "invalid": [t for t in texts if not checker.conforms(t, name)]}
        for name, texts in FORMATS.items() if name in checker.checkers
    ]
    json.dump({"patterns": cases, "formats": formats}, sys.stdout, ensure_ascii=True, separators=(",", ":"))


main()
