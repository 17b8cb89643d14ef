"""The commands of the README's "first ten minutes", as they stand there, against a real nginx.

Only the directory, the two ports and what `token create` printed are put in; so a README that no longer works fails here."""

import re
import shutil
import signal
import subprocess
import tempfile
import pathlib
import os

from fleet import TOP, free_port


def commands():
    """The indented blocks of the section as one script."""
    section = (TOP / "README.md").read_text().split("## The first ten minutes\n")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    assert lines and lines[0].startswith("$ ")
    return "\n".join(line.removeprefix("$ ") for line in lines) + "\n"


def script_for(build, base):
    text = commands()
    changes = [("$PWD/build", str(build)), ("$HOME/troth-try", str(base)), ("8443", str(free_port())), ("9443", str(free_port())),
               ("--instance web-1\n", "--instance web-1 | tee $D/token.txt\n"),
               ("5f...", "$(grep -oP 'ca-fingerprint \\K[0-9a-f]+' $D/token.txt)"),
               ("troth-join-...", "$(grep -oP 'echo \\Ktroth-join-\\S+' $D/token.txt)")]
    for old, new in changes:
        assert old in text, f"the README does not say {old!r}"
        text = text.replace(old, new)
    return "set -euo pipefail\n" + text.replace("curl ", "curl -sS ")


def test_the_readme_works(build):
    base = pathlib.Path(tempfile.mkdtemp(prefix="troth-readme-", dir="/tmp")) / "try"
    process = subprocess.Popen(["bash", "-c", script_for(build, base)], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=90)
        assert process.returncode == 0, out
    finally:
        leftover = base / "nginx.pid" # only if it broke off half way; the rest is in the script's session
        if leftover.exists():
            os.kill(int(leftover.read_text()), signal.SIGTERM)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        shutil.rmtree(base.parent, ignore_errors=True)
    assert "hello\n" in out
    assert out.count("/prod/web/ca: rotated in") == 2
    explained = out.split("is under way: troth rotation watch")[1]
    assert re.search(r"^web-1/(clients|tls) was sent new contents and has not reported them in use$", explained, re.M), explained
    assert "rule A2 (node: not-loaded)" in explained
    assert "the audit chain holds" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("  troth agent") and "waits: " not in line) <= 118


def test_tables_keep_heads_and_names_in_80_columns(build, server):
    for name in ("/prod/payments/database/ca", "/prod/payments/broker/ca"):
        server.cli.ok("authority", "create", name)
        server.cli.ok("rotate", name, "--wait")
    for noun in ("authority", "rotation", "credential", "audit", "token", "bundle", "target", "instance", "deployment"):
        table = server.cli.ok(noun, "list")
        assert max(len(line) for line in table.splitlines()) <= 80, table
    assert "/prod/payments/database/ca" in server.cli.ok("rotation", "list")
    assert "…" not in server.cli.ok("authority", "list")


def test_agent_without_a_verb_says_its_verbs(build, tmp_path):
    def run(*args):
        return subprocess.run([str(build / "troth"), *args], capture_output=True, text=True, timeout=30)
    r = run("agent", "--help")
    assert r.returncode == 0 and "agent enroll" in r.stdout and "agent status" in r.stdout
    r = run("agent", "satus")
    assert r.returncode == 2 and 'no verb "satus"' in r.stderr and "agent status" in r.stderr
    r = run("agent", "run", "--dir", str(tmp_path))
    assert r.returncode == 2 and "--profiles is missing" in r.stderr and "troth agent run --help" in r.stderr
    r = run("agent", "run", "--dir", str(tmp_path), "--profiles", str(tmp_path / "none"))
    assert r.returncode == 4 and "hint: --profiles names" in r.stderr
    r = run("agent", "status", "--dir", str(tmp_path / "none"))
    assert r.returncode == 4 and "No such file" in r.stderr and "agent enroll" in r.stderr
    settings = tmp_path / "settings.yaml"
    settings.write_text("nginx: {root: /x}\n")
    r = run("agent", "run", "--dir", str(tmp_path), "--profiles", str(TOP / "profiles"), "--settings", str(settings))
    assert r.returncode == 1 and "$.nginx" in r.stderr and "targets: {NAME" in r.stderr
    r = run("init", "--dir", str(tmp_path / "s"), "--listen", "127.0.0.1:99999")
    assert r.returncode == 2 and "ADDRESS:PORT" in r.stderr and not (tmp_path / "s").exists()


def test_a_server_that_is_down_is_said_so(build, tmp_path):
    troth = str(build / "troth")
    subprocess.run([troth, "init", "--dir", str(tmp_path / "s"), "--listen", f"127.0.0.1:{free_port()}"], check=True,
                   stdout=subprocess.DEVNULL)
    r = subprocess.run([troth, "--dir", str(tmp_path / "s"), "authority", "list"], capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and "is the server running at https://127.0.0.1:" in r.stderr
