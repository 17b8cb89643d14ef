"""The list of log events in docs/ops.md is complete: each event that the source can log, its level and its fields, and no other.

Events, verbs and actions are one family of names to who greps for them: nouns and words by dots, words by hyphens."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
SRC = TOP / "src"
ERROR = {"kind", "error", "detail", "hint", "object"}  # log_err
CALL = re.compile(r"\b(LOG|log_err)\(")
NAME = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)*")
# Where an event is no literal: (file, argument) -> in which files its name is given, and how.
INDIRECT = {
    ("app/server_tls.c", "event"): ("app/server_tls.c", r'reload_and_say\(\w+, ("[^"]+")\)'),
    ("agent/recover.c", "event"): ("agent/recover.c", r'("recovery\.(?:contested|waiting)")'),
    ("agent/link.c", "x->note.event"): ("agent/core*.c", r'core_note\(\w+, \w+, ("[^"]+")'),
}


def arguments(text, at):
    """The arguments of the call whose '(' is at `at`."""
    depth, quoted, start, found = 0, False, at + 1, []
    for i in range(at, len(text)):
        c = text[i]
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        if c in "({":
            depth += 1
        elif c in ")}":
            depth -= 1
        if (c == "," and depth == 1) or depth == 0:
            found.append(" ".join(text[start:i].split()))
            start = i + 1
        if depth == 0:
            return found
    raise AssertionError("a call without an end")


def names(path, event):
    """The names that an event's argument can be."""
    if event.startswith('"'):
        return [event.strip('"')]
    where = INDIRECT.get((path, event))
    assert where, f"src/{path} logs {event}: say in INDIRECT of this test where its names come from"
    found = [name.strip('"') for p in sorted(SRC.glob(where[0])) for name in re.findall(where[1], p.read_text())]
    assert found, f"{where}: finds nothing"
    return found


def logged():
    """event -> (the levels that each call has to choose from, fields)."""
    events = {}
    for p in sorted(SRC.rglob("*.c")):
        path, text = str(p.relative_to(SRC)), p.read_text()
        for m in CALL.finditer(text):
            if path.startswith("base/"):
                continue
            level, event, *pairs = arguments(text, m.end() - 1)
            fields = ERROR if m.group(1) == "log_err" else set(re.findall(r'LOG_[SI]\("(\w+)"', " ".join(pairs)))
            assert m.group(1) == "log_err" or len(fields) == len(pairs), f"{path}: a field of {event} is no literal"
            for name in names(path, event):
                levels, known = events.setdefault(name, (set(), set()))
                levels.add(frozenset(w.lower() for w in re.findall(r"LOG_LEVEL_(\w+)", level)))
                known |= fields
    return events


def written():
    page = (TOP / "docs/ops.md").read_text()
    table = page.split("\n## Log events\n")[1].split("\n### ")[0]
    rows = {}
    for name, level, fields, about in re.findall(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]+) \|$", table, re.M):
        assert name not in rows, f"{name} is there twice"
        assert about.strip(), name
        rows[name] = (level, set(re.findall(r"`(\w+)`", fields)) | (ERROR if "*error*" in fields else set()))
    assert len(rows) == table.count("\n| `"), "a row of the table cannot be read"
    return rows


def test_the_list_is_complete():
    events, rows = logged(), written()
    assert len(events) > 40, "the source was not read"
    assert sorted(set(events) - set(rows)) == [], "logged, and not in docs/ops.md, Log events"
    assert sorted(set(rows) - set(events)) == [], "in docs/ops.md, and never logged"


def test_names_have_hyphens():
    source = "".join(p.read_text() for p in sorted(SRC.rglob("*.c")))
    told = set(re.findall(r'(?:struct verb \w+\s*=\s*\{\s*(?:\.name = )?|\.action = |record_\w+\(\w+, )"([^"]+)"', source))
    assert {"rotation.start", "server.certificate-set", "webhook.list"} <= told, "the source was not read"
    assert sorted(n for n in told | set(logged()) if not NAME.fullmatch(n)) == []


def test_levels_and_fields_are_as_written():
    rows = written()
    for name, (levels, fields) in logged().items():
        said, known = rows[name]
        assert fields == known, f"{name} has {sorted(fields)}, docs/ops.md says {sorted(known)}"
        words = set(re.findall(r"debug|info|warn|error", said))
        assert words <= set().union(*levels) and all(words & choice for choice in levels), f"{name}: {said}, not {levels}"


def test_keeper_acts_are_as_written():
    acts = set(re.findall(r'\[KEEPER_\w+\] = \{ "([a-z-]+)"', (SRC / "keeper/message.c").read_text()))
    page = (TOP / "docs/ops.md").read_text().split("\n### keeper.log\n")[1].split("\n## ")[0]
    assert len(acts) > 10 and [a for a in sorted(acts) if f"`{a}`" not in page] == []


def test_names_are_found_through_a_call():
    text = 'LOG(LEVEL, "a.b", LOG_S("x", f(1, "2,)")), LOG_I("y", n));'
    assert arguments(text, 3) == ["LEVEL", '"a.b"', 'LOG_S("x", f(1, "2,)"))', 'LOG_I("y", n)']
