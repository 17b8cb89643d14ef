"""The text format of Prometheus, 0.0.4, read strictly (prometheus.io/docs/instrumenting/exposition_formats), and the part of its query
language that alert rules and boards here use."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]*[1-9])?)$")
KINDS = ("gauge", "counter", "histogram")


class Family:
    def __init__(self, name, help):
        self.name, self.help, self.kind = name, help, None
        self.samples = {}  # (name, ((label, value), ...)) -> number, in order


def labels_of(text):
    found, at = [], 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, f"no label at {text[at:]!r}"
        value = re.sub(r"\\(.)", lambda x: "\n" if x.group(1) == "n" else x.group(1), m.group(2))
        assert m.group(1) not in dict(found), f"{m.group(1)} twice in {text!r}"
        found.append((m.group(1), value))
        at = m.end()
        if at < len(text):
            assert text[at] == "," and at + 1 < len(text), f"after a label: {text[at:]!r}"
            at += 1
    return tuple(found)


class Scrape:
    def __init__(self, text):
        self.families = {}
        assert text.endswith("\n") and "\n\n" not in text and "\r" not in text
        family = None
        for line in text[:-1].split("\n"):
            family = self.line(line, family)
        for f in self.families.values():
            assert f.kind, f"{f.name} has no TYPE"
            self.check(f)

    def line(self, line, family):
        """HELP, TYPE, then all samples of one family, in one place."""
        m = re.match(rf"# HELP ({NAME}) ((?:[^\\]|\\\\|\\n)+)$", line)
        if m:
            assert m.group(1) not in self.families, f"{m.group(1)} is there twice"
            self.families[m.group(1)] = Family(m.group(1), m.group(2))
            return self.families[m.group(1)]
        m = re.match(rf"# TYPE ({NAME}) ({'|'.join(KINDS)})$", line)
        if m:
            assert family and family.name == m.group(1) and not family.kind and not family.samples, line
            family.kind = m.group(2)
            return family
        m = SAMPLE.match(line)
        assert m and family and family.kind, f"cannot be read: {line!r}"
        suffix = m.group(1).removeprefix(family.name)
        assert m.group(1).startswith(family.name) and suffix in (("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)), line
        key = (m.group(1), labels_of(m.group(2) or ""))
        assert m.group(2) != "", line
        assert key not in family.samples, f"twice: {line}"
        family.samples[key] = float(m.group(3))
        return family

    def check(self, f):
        assert f.name.startswith("troth_") and f.help.endswith("."), f.name
        assert (f.kind == "counter") == f.name.endswith("_total"), f"{f.name} is a {f.kind}"
        shapes = {tuple(name for name, _ in labels if name != "le") for _, labels in f.samples}
        assert len(shapes) <= 1, f"{f.name}: {shapes}"
        if f.kind == "counter":
            assert min(f.samples.values(), default=0) >= 0
        if f.kind == "histogram":
            self.check_histogram(f)

    def check_histogram(self, f):
        series = {}
        for (name, labels), value in f.samples.items():
            plain = tuple(x for x in labels if x[0] != "le")
            series.setdefault(plain, []).append((name.removeprefix(f.name), dict(labels).get("le"), value))
        for labels, rows in series.items():
            buckets = [(float(le), v) for kind, le, v in rows if kind == "_bucket"]
            assert [kind for kind, _, _ in rows[-2:]] == ["_sum", "_count"] and len(buckets) == len(rows) - 2, f"{f.name}{labels}"
            assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), f"{f.name}{labels}"
            assert buckets[-1][0] == float("inf") and buckets[-1][1] == rows[-1][2], f"{f.name}{labels}"

    def value(self, name, **labels):
        """The sample with just these labels; None if there is none."""
        family = next(f for f in self.families.values() if name.removeprefix(f.name) in ("", "_bucket", "_sum", "_count") and name.startswith(f.name))
        return next((v for (n, have), v in family.samples.items() if n == name and dict(have) == labels), None)

    def series(self, name):
        return [dict(labels) for (n, labels) in self.families[name].samples]


# -- queries -----------------------------------------------------------------------------------------------------------------
TOKEN = re.compile(r'\s*(?:(?P<time>\d+[smhdw]\b|\$__\w+)|(?P<number>\d+(?:\.\d+)?\b)|(?P<string>"[^"\\]*")|(?P<name>[a-zA-Z_:][\w:]*)'
                   r'|(?P<op>==|!=|<=|>=|=~|!~|[-+*/<>=(){}\[\],]))')
AGGREGATES = ("sum", "max", "min", "avg", "count", "topk")
FUNCTIONS = {"time": 0, "absent": 1, "vector": 1, "rate": 1, "increase": 1, "histogram_quantile": 2, "clamp_min": 2}
RANGED = ("rate", "increase")
BINARY = (("or",), ("and", "unless"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))


class Query:
    """Reads one expression; `used` are the metrics in it, each with the labels that it is asked by."""

    def __init__(self, text):
        self.text, self.used, self.grouped, self.tokens, at = text, [], set(), [], 0
        text = text.rstrip()
        while at < len(text):
            m = TOKEN.match(text, at)
            assert m, f"cannot be read: {text[at:]!r} of {text!r}"
            self.tokens.append((m.lastgroup, m.group(m.lastgroup)))
            at = m.end()
        self.at = 0
        self.binary(0)
        assert self.at == len(self.tokens), f"too much: {self.tokens[self.at:]} of {text!r}"

    def next(self, *wanted):
        """The next token if it is one of these; all: whatever it is."""
        if self.at < len(self.tokens) and (not wanted or self.tokens[self.at][1] in wanted):
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def kind(self, wanted):
        """The next token, which must be of this kind."""
        kind, word = self.next() or (None, None)
        assert kind == wanted, f"a {wanted} is missing before {self.tokens[self.at:][:3]} of {self.text!r}"
        return word

    def need(self, *wanted):
        token = self.next(*wanted)
        assert token, f"{wanted} is missing at {self.tokens[self.at:][:3]} of {self.text!r}"
        return token[1]

    def binary(self, level):
        if level == len(BINARY):
            return self.one()
        self.binary(level + 1)
        while self.next(*BINARY[level]):
            if self.next("on", "ignoring"):
                self.label_list()
            if self.next("group_left"):
                self.label_list()
            self.binary(level + 1)
        return None

    def label_list(self):
        self.need("(")
        while not self.next(")"):
            self.grouped.add(self.kind("name"))
            self.next(",")

    def one(self):
        kind, word = self.next() or (None, None)
        if word == "(":
            self.binary(0)
            self.need(")")
        elif word in AGGREGATES:
            if self.next("by", "without"):
                self.label_list()
            self.arguments(2 if word == "topk" else 1)
        elif kind == "name" and word in FUNCTIONS:
            before = len(self.used)
            self.arguments(FUNCTIONS[word])
            assert word not in RANGED or all(ranged for _, _, ranged in self.used[before:]), f"{word} wants a range: {self.text!r}"
        elif kind == "name":
            self.selector(word)
        else:
            assert kind == "number", f"{word!r} in {self.text!r}"

    def arguments(self, count):
        self.need("(")
        for i in range(count):
            self.binary(0)
            if i + 1 < count:
                self.need(",")
        self.need(")")

    def selector(self, name):
        labels, ranged = {}, False
        if self.next("{"):
            while not self.next("}"):
                label, how = self.kind("name"), self.need("=", "!=", "=~", "!~")
                labels[label] = (how, self.kind("string").strip('"'))
                self.next(",")
        if self.next("["):
            self.kind("time")
            self.need("]")
            ranged = True
        self.used.append((name, labels, ranged))
