"""House rules as tests: what lives where, what may not be called, what must have a test and a README."""

import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
SRC = TOP / "src"

# design.md section 4.  Neighbours on a floor do not include each other.
FLOORS = {"base": 0, "port": 1, "model": 2, "pki": 2, "engine": 3, "keeper": 3, "probe": 3, "store": 4, "service": 5,
          "edge": 6, "facade": 7, "agent": 7, "app": 8}
PURE = ("model", "pki", "engine", "store", "service")  # and agent/core*
BANNED_EVERYWHERE = ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "system", "popen", "strtok", "atoi", "atol", "alloca",
                     "mktemp", "tmpnam", "tempnam")
BANNED_PURE = ("time", "clock_gettime", "gettimeofday", "rand", "random", "srand")
FUNCTION_LINES_MAX = 100
# file:function -> why it may be longer
LONG_FUNCTIONS = {}
# A file whose test has another name, or that only a whole program can run -> where it is proved.
TESTED_ELSEWHERE = {
    "app/main.c": "tests/e2e/test_cli.py",
}


def sources(*suffixes):
    return sorted(p for p in SRC.rglob("*") if p.suffix in suffixes)


def rel(path):
    return str(path.relative_to(SRC))


def floor_of(path):
    return path.relative_to(SRC).parts[0]


def without_comments(text):
    """Comments and strings go, lines stay."""
    def blank(match):
        s = match.group(0)
        return '""' if s.startswith('"') else "' '" if s.startswith("'") else re.sub(r"[^\n]", " ", s)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def is_pure(path):
    return floor_of(path) in PURE or rel(path).startswith("agent/core")


def climbs(path):
    """The includes of a file that go up, or sideways to a neighbour."""
    mine = floor_of(path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
        if not m:
            continue
        other = m.group(1)
        assert other in FLOORS, f"{rel(path)}:{number}: {other} is not a floor"
        # facade/native is a room of the facade; model is below pki in use, though on one floor
        allowed = other == mine or FLOORS[other] < FLOORS[mine]
        if not allowed:
            yield f"{rel(path)}:{number}: {mine} includes {other}"


def functions(path):
    """(name, lines) of each function body, by brace matching at column 0."""
    lines = without_comments(path.read_text()).splitlines()
    start = None
    for i, line in enumerate(lines):
        if line.startswith("{") and i > 0:
            start = i
        elif line.startswith("}") and start is not None:
            head = " ".join(lines[max(0, start - 6):start])
            names = re.findall(r"([a-zA-Z_]\w*)\s*\(", head)
            yield (names[0] if names else "?", i - start + 1)
            start = None


def test_includes_go_down():
    assert [c for p in sources(".c", ".h") for c in climbs(p)] == []


def test_apis_share_no_words():
    """A room of the facade knows another one by its door only (uaa/uaa.h): what one API's clients read is not changed for another's."""
    found = []
    for p in sources(".c", ".h"):
        for room, name in re.findall(r'#include "facade/(\w+)/(\w+)\.h"', p.read_text()):
            if rel(p).startswith("facade/") and p.parent.name != room and name != room:
                found.append(f"{rel(p)}: facade/{room}/{name}.h")
    assert found == []


def test_include_check_sees_a_climb(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "SRC", tmp_path)
    bad = tmp_path / "base" / "x.c"
    bad.parent.mkdir()
    bad.write_text('#include "store/store.h"\n')
    assert list(climbs(bad)) == ["base/x.c:1: base includes store"]


def test_functions_fit():
    long = [f"{rel(p)}: {name} has {n} lines" for p in sources(".c") for name, n in functions(p)
            if n > FUNCTION_LINES_MAX and f"{rel(p)}:{name}" not in LONG_FUNCTIONS]
    assert long == []


def test_functions_are_mostly_short():
    lengths = sorted(n for p in sources(".c") for _, n in functions(p))
    assert lengths, "no function was found: the check is broken"
    assert lengths[len(lengths) // 2] <= 20, f"median {lengths[len(lengths) // 2]} lines"


def calls(path, words):
    text = without_comments(path.read_text())
    for number, line in enumerate(text.splitlines(), 1):
        for word in words:
            if re.search(rf"(?<![\w>.]){word}\s*\(", line):
                yield f"{rel(path)}:{number}: {word}"


def test_banned_calls():
    assert [c for p in sources(".c", ".h") for c in calls(p, BANNED_EVERYWHERE)] == []


def test_pure_floors_have_no_clock_thread_or_loop():
    found = [c for p in sources(".c", ".h") if is_pure(p) for c in calls(p, BANNED_PURE)]
    for p in sources(".c", ".h"):
        if is_pure(p):
            text = without_comments(p.read_text())
            found += [f"{rel(p)}: {w}" for w in re.findall(r"\b(?:pthread_\w+|event_\w+\s*\(|evhttp_\w+|bufferevent_\w+)", text)
                      if not re.match(r"event_(append|list|insert|get|by|row|since|max|last|put|emit|read|topics?|note)", w)]
    assert found == []


def test_pure_floors_have_no_static_state():
    found = []
    for p in sources(".c"):
        if not is_pure(p):
            continue
        for number, line in enumerate(without_comments(p.read_text()).splitlines(), 1):
            m = re.match(r"\s*static\s+(?!const\b|inline\b|_Noreturn\b)(?!.*\bconst\s+\w+\[)(?!.*\*const\b)[^()]*(=|;)\s*", line)
            if m and "(" not in line.split("=")[0]:
                found.append(f"{rel(p)}:{number}: {line.strip()}")
    assert found == []


@pytest.mark.parametrize("folder", sorted(FLOORS))
def test_floor_has_readme(folder):
    readme = SRC / folder / "README.md"
    assert readme.is_file(), f"src/{folder}/README.md is missing"
    assert len(readme.read_text()) > 200, f"src/{folder}/README.md says too little"


@pytest.mark.parametrize("room", sorted(p.name for p in (SRC / "service").iterdir() if p.is_dir()))
def test_room_has_readme_whose_tests_exist(room):
    """A room's README names the test that holds each invariant: words of three parts and more, and test files."""
    text = (SRC / "service" / room / "README.md").read_text()
    tests = "".join(p.read_text() for p in (TOP / "tests").rglob("test_*") if p.suffix in (".c", ".py"))
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`", text))
    assert named and [n for n in sorted(named) if not re.search(rf"\b{n}\b", tests)] == []
    files = set(re.findall(r"`(?:tests/[a-z0-9/]*)?(test_[a-z0-9_]+\.(?:c|py))`", text))
    assert [f for f in sorted(files) if not list((TOP / "tests").rglob(f))] == []


def test_every_source_has_its_test():
    tests = {p.name for d in ("tests", "sim") for p in (TOP / d).rglob("test_*")}
    missing = []
    for p in sources(".c"):
        if f"test_{p.stem}.c" in tests or f"test_{p.stem}.py" in tests:
            continue
        elsewhere = TESTED_ELSEWHERE.get(rel(p))
        if not elsewhere or not (TOP / elsewhere).is_file():
            missing.append(rel(p))
    assert missing == []


def tracked():
    out = subprocess.run(["git", "-C", str(TOP), "ls-files"], capture_output=True, text=True, check=True).stdout
    return [TOP / line for line in out.splitlines() if (TOP / line).is_file()]


def test_no_todo_without_issue():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    found = []
    for p in tracked():
        if p.suffix in (".c", ".h", ".py", ".sh", ".yaml", ".md") and p != pathlib.Path(__file__).resolve():
            for number, line in enumerate(p.read_text(errors="replace").splitlines(), 1):
                if marks.search(line):
                    found.append(f"{p.relative_to(TOP)}:{number}")
    assert found == []


def test_sql_lives_in_store_only():
    sql = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\b')
    found = [rel(p) for p in sources(".c", ".h") if floor_of(p) != "store" and sql.search(p.read_text())]
    assert found == []


def test_x509_headers_live_in_pki_only():
    found = [rel(p) for p in sources(".c", ".h")
             if floor_of(p) != "pki" and re.search(r"#include <openssl/(x509|x509v3|x509_vfy|cms)\.h>", p.read_text())]
    assert found == []


def test_limits_live_in_one_place():
    home = "base/limits.h"
    assert [rel(p) for p in sources(".h") if p.name == "limits.h"] == [home], "a second list hides what the first promises: all of them"
    found = [f"{rel(p)}: {m}" for p in sources(".c", ".h") if rel(p) != home
             for m in re.findall(r"\b(LIMIT_\w+) *=(?!=)|# *define +(LIMIT_\w+)", without_comments(p.read_text()))]
    assert found == []


def test_limits_say_why():
    rows = re.findall(r"^\t(LIMIT_\w+) = [^,]+,(.*)$", (SRC / "base/limits.h").read_text(), re.M)
    assert len(rows) > 100, "the list was not read"
    assert [name for name, why in rows if not re.search(r"/\* .{10,}", why)] == []


def test_files_open_with_a_paragraph():
    assert [rel(p) for p in sources(".c", ".h") if not p.read_text().startswith("/*")] == []


def test_files_are_not_too_long():
    assert [f"{rel(p)}: {n}" for p in sources(".c", ".h") if (n := len(p.read_text().splitlines())) > 900] == []
