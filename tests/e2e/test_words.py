"""What helps to type: completion in the real shells, manual pages that typeset without a complaint."""

import subprocess

import pytest


def troth(build, *args):
    r = subprocess.run([str(build / "troth"), *args], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r.stderr
    return r.stdout


def completed(build, tmp_path, *words):
    """What bash offers for the last of these words."""
    script = tmp_path / "troth.bash"
    script.write_text(troth(build, "completion", "bash"))
    ask = (f"source {script}; COMP_WORDS=(troth {' '.join(repr(w) for w in words)}); COMP_CWORD={len(words)}; _troth; "
           'printf "%s\\n" "${COMPREPLY[@]}"')
    r = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0 and not r.stderr, r.stderr
    return r.stdout.split()


def test_bash(build, tmp_path):
    assert {"authority", "rotate", "server", "agent"} <= set(completed(build, tmp_path, ""))
    assert completed(build, tmp_path, "auth") == ["authority"]
    assert {"create", "list", "show"} <= set(completed(build, tmp_path, "authority", ""))
    assert completed(build, tmp_path, "agent", "en") == ["enroll"]
    assert completed(build, tmp_path, "authority", "create", "/x", "--leaf-tt") == ["--leaf-ttl"]
    assert "--dry-run" in completed(build, tmp_path, "rotate", "/x", "--")
    assert "create" in completed(build, tmp_path, "--dir", "rotate", "authority", "cr"), "a value is no noun"


@pytest.mark.parametrize("shell, check", [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_other_shells_read_it(build, tmp_path, shell, check):
    script = tmp_path / f"troth.{shell}"
    script.write_text(troth(build, "completion", shell))
    r = subprocess.run([*check, str(script)], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and not r.stderr, r.stderr


def test_fish_offers_words(build, tmp_path):
    script = tmp_path / "troth.fish"
    script.write_text(troth(build, "completion", "fish"))
    r = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C 'troth authority cr'"], capture_output=True, text=True,
                       timeout=60, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert r.stdout.startswith("create"), (r.stdout, r.stderr)


def test_manual_pages_typeset(build, tmp_path):
    troth(build, "man", "--into", str(tmp_path))
    pages = sorted(tmp_path.glob("*.1"))
    assert len(pages) > 40 and (tmp_path / "troth-agent-run.1").exists() and (tmp_path / "troth.1").exists()
    r = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *map(str, pages)], capture_output=True, text=True, timeout=60)
    said = [line for line in (r.stdout + r.stderr).splitlines() if "missing date" not in line] # the same program, the same page
    assert not said, said
    text = subprocess.run(["mandoc", "-T", "utf8", str(tmp_path / "troth-rotate.1")], capture_output=True, text=True).stdout
    assert "replace a CA or a certificate, safely" in text
