"""What the documents name is there: files, folders, tests, and what they link to.  Decisions are numbered, headed and listed alike."""

import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
DECISIONS = TOP / "docs/decisions"
PLACES = ("docs", "src", "tests", "sim", "modelcheck", "fuzz", "bench", "demo", "profiles", "packaging", "scripts")
DOCUMENTS = sorted(list(TOP.glob("*.md")) + [p for d in PLACES for p in (TOP / d).rglob("*.md")])
# Programs that the build makes stand there, too: their source has this ending.
BUILT = ".c"
OTHERS = {"os_unix.c"}  # SQLite's


def lines_of(path):
    """Without the blocks of code, whose paths are somebody else's."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M)


def is_there(name):
    """A path from the tree's root, or the end of one; a capital word stands for any name."""
    if re.search(r"\b[A-Z]{2,}\b", name.replace("README", "")):
        return True
    return (TOP / name).exists() or (TOP / (name + BUILT)).exists()


def all_names():
    """Names of files below the folders of the tree, and each way their paths end."""
    ends = set()
    for place in PLACES:
        for p in (TOP / place).rglob("*"):
            parts = p.relative_to(TOP).parts
            ends.update("/".join(parts[n:]) for n in range(len(parts)))
    return ends


@pytest.fixture(scope="module")
def ends():
    return all_names()


@pytest.fixture(scope="module")
def words():
    """All words of the tests and of what runs beside them."""
    text = "".join(p.read_text(errors="replace") for d in ("tests", "sim", "modelcheck", "bench", "src") for p in (TOP / d).rglob("*")
                   if p.suffix in (".c", ".h", ".py"))
    return set(re.findall(r"\w+", text))


def missing(text, ends, words):
    found = []
    for name in re.findall(r"`([^`\s]+)`", text):
        if re.fullmatch(rf"(?:{'|'.join(PLACES)})/[\w./-]+", name):
            found += [] if is_there(name.rstrip("/")) else [name]
        elif re.fullmatch(r"[a-z0-9_/]+\.[ch]|test_\w+\.py", name):
            found += [] if name in ends else [name]
        elif re.fullmatch(r"test_[a-z0-9_]+", name):
            found += [] if name in words else [name]
    return found


def test_what_is_named_is_there(ends, words):
    found = {str(p.relative_to(TOP)): m for p in DOCUMENTS if (m := missing(lines_of(p), ends, words))}
    assert found == {}


def test_a_missing_name_is_seen(ends, words):
    gone = "gone"
    text = f"`test_{gone}_since.c` `tests/e2e/test_{gone}.py` `src/base/{gone}.c` `test_{gone}_long` `base/{gone}.h`; `src/base/err.h` `base/err.h` `test_err.c`"
    assert missing(text, ends, words) == [f"test_{gone}_since.c", f"tests/e2e/test_{gone}.py", f"src/base/{gone}.c", f"test_{gone}_long", f"base/{gone}.h"]


def test_files_named_in_comments_are_there(ends):
    """Somebody who follows a comment to another file finds it."""
    found = []
    for p in sorted(q for d in PLACES for q in (TOP / d).rglob("*.[ch]")):
        comments = " ".join(re.findall(r"/\*.*?\*/|//[^\n]*", p.read_text(), re.S))
        named = set(re.findall(r"\b[a-z][\w/-]*\.(?:[ch]|md)\b", comments)) - OTHERS
        found += [f"{p.relative_to(TOP)}: {n}" for n in sorted(named - ends) if not (TOP / n).exists()]
    assert found == []


def test_links_lead_somewhere():
    found = []
    for p in DOCUMENTS:
        for to in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", lines_of(p)):
            if not re.match(r"[a-z]+:", to) and not (p.parent / to).exists():
                found.append(f"{p.relative_to(TOP)}: {to}")
    assert found == []


def test_decisions_are_numbered_headed_and_listed():
    files = sorted(p for p in DECISIONS.glob("*.md") if p.name != "README.md")
    numbers = [p.name[:4] for p in files]
    assert len(set(numbers)) == len(numbers)
    assert [p.name for p in files if not re.match(rf"# {p.name[:4]}: \S", p.read_text())] == []
    listed = re.findall(r"^\* \[(\d{4})\]\((\S+)\)", (DECISIONS / "README.md").read_text(), re.M)
    assert sorted(listed) == [(p.name[:4], p.name) for p in files]


def test_decisions_that_are_cited_exist():
    """As (0080), as decision 0080, as docs/decisions/0080."""
    numbers = {p.name[:4] for p in DECISIONS.glob("[0-9]*.md")}
    found = []
    for p in DOCUMENTS + [q for q in (TOP / "src").rglob("*.[ch]")]:
        cited = re.findall(r"\((00\d{2})\)|decisions?[ /](00\d{2})", p.read_text())
        found += [f"{p.relative_to(TOP)}: {n}" for pair in cited for n in pair if n and n not in numbers]
    assert found == []
