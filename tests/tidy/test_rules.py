"""Each row of the rules' table of counterexamples is a test by its name."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]


def rows():
    """The names in the first column of section 12."""
    section = (TOP / "docs/engine-rules.md").read_text().split("## 12.")[1].split("## 13.")[0]
    names = re.findall(r"^\| ([a-z0-9_]+) \|", section, re.M)
    return [n for n in names if n != "test"]


def cmocka_tests():
    """Functions that some cmocka group runs."""
    text = "\n".join(p.read_text() for p in (TOP / "tests/unit").rglob("test_*.c"))
    return set(re.findall(r"(?:cmocka_unit_test\w*|CASE)\(\s*(\w+)", text))


def test_the_table_is_read():
    assert len(rows()) > 40


def test_every_row_is_a_test_by_its_name():
    assert sorted(set(rows()) - cmocka_tests()) == []
