"""docs/first-ten-minutes.md is a transcript: each command is run, and says what stands there, but for times, ids and numbers.

    TROTH_RECORD=1 TROTH_BUILD=build python3 -m pytest tests/e2e/test_transcript.py     records the answers anew; look at the diff

A line "..." stands for any lines; an answer that still fits is kept.  Only the directory, the two ports and what `token create` printed are put in."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from fleet import TOP, free_port

DOC = TOP / "docs/first-ten-minutes.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.S | re.M)
# What is said differently each time, longest first.
CHANGES = ((r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "UUID"), (r"\b[0-9a-f]{12,64}\b|\b[0-9a-f]{8}-[0-9a-f]{3}\b", "HEX"),
           (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"), (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "TIME"), (r"\d+(\.\d+)?( (s|ms|min|h|d)\b)?", "N"),
           (r"\bTIME,? ", "TIME "), (r"[ \t]+", " "))
# Said at one's own pace: how far a rotation was when it was looked at.
LIVE = ("rotate /prod/web/ca --wait", "rotation watch")


def commands(block):
    """(command, answer) pairs of one block; each is a list of lines."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return found


def all_commands():
    return [pair for block in BLOCK.findall(DOC.read_text()) for pair in commands(block)]


def script_for(pairs, build, ports):
    text = "".join(f"printf '\\n@@{i}@@\\n'\n" + "\n".join(command) + "\n" for i, (command, _) in enumerate(pairs))
    changes = [("$PWD/build", str(build)), ("8443", ports[0]), ("9443", ports[1]),
               ("--instance web-1\n", "--instance web-1 | tee $HOME/token.txt\n"),
               ("5f...", "$(grep -oP 'ca-fingerprint \\K[0-9a-f]+' $HOME/token.txt)"),
               ("troth-join-...", "$(grep -oPm1 'token +\\K\\S+' $HOME/token.txt)")]
    for old, new in changes:
        assert old in text, f"the transcript does not say {old!r}"
        text = text.replace(old, new)
    return "set -euo pipefail\n" + text


def run(pairs, build):
    """What each command answered: a list of lists of lines."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="troth-transcript-", dir="/tmp"))
    ports = str(free_port()), str(free_port())
    process = subprocess.Popen(["timeout", "80", "bash", "-c", script_for(pairs, build, ports)], cwd=TOP, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True, env={**os.environ, "HOME": str(home)})
    try:
        out, _ = process.communicate(timeout=100)
    finally:
        leftover = home / "troth-try/nginx.pid" # only if it broke off half way; the rest is in the script's session
        if leftover.exists():
            os.kill(int(leftover.read_text()), signal.SIGTERM)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        shutil.rmtree(home, ignore_errors=True)
    assert process.returncode == 0, out
    answers = [part.split("\n") for part in re.split(r"\n@@\d+@@\n", "\n" + out)[1:]]
    return [trimmed([plain(line, home, ports) for line in a]) for a in answers]


def plain(line, home, ports):
    """As it would be said to somebody who pasted the commands."""
    for real, written in ((str(home), "$HOME"), (ports[0], "8443"), (ports[1], "9443")):
        line = line.replace(real, written)
    return re.sub(r"troth-join-[0-9a-f]+", "troth-join-...", line).rstrip()


def trimmed(lines):
    while lines and not lines[-1]:
        lines.pop()
    return lines


def shape(line):
    for pattern, word in CHANGES:
        line = re.sub(pattern, word, line)
    return line.strip()


def matches(expected, answer):
    """The lines that are expected, in order, none between them but where "..." stands."""
    if not expected:
        return not answer
    if expected[0].strip() == "...":
        return any(matches(expected[1:], answer[i:]) for i in range(len(answer) + 1))
    return bool(answer) and shape(expected[0]) == shape(answer[0]) and matches(expected[1:], answer[1:])


def record(answers):
    """The document with these answers, where what stands there is no longer what happens."""
    rest = iter(answers)

    def block(match):
        lines = []
        for command, expected in commands(match[1]):
            answer = next(rest)
            live = any(word in command[0] for word in LIVE)
            now = expected if matches(expected, answer) else ["...", answer[-1]] if live else answer
            lines += ["$ " + command[0], *["> " + line for line in command[1:]], *now]
        return "```console\n" + "\n".join(lines) + "\n```"
    DOC.write_text(BLOCK.sub(block, DOC.read_text()))


@pytest.mark.release_only # test_first_ten_minutes.py walks the same way in every build
def test_the_transcript_is_what_happens(build):
    pairs = all_commands()
    assert len(pairs) > 25
    answers = run(pairs, build)
    if os.environ.get("TROTH_RECORD"):
        record(answers)
    for (command, expected), answer in zip(all_commands(), answers, strict=True):
        assert matches(expected, answer), f"$ {command[0]}\n-- it says:\n" + "\n".join(answer) + "\n-- the transcript:\n" + "\n".join(expected)


def test_the_comparison_finds_what_differs():
    assert matches(["a 12 s", "...", "z"], ["a 7.5 s", "b", "c", "z"])
    assert not matches(["a", "z"], ["a", "b", "z"])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["state running"], ["state done"])
    assert shape("  web-1  2026-11-22 06:55  91ab01234567") == shape(" web-1 2027-01-01 00:00 ffffffffffff")
