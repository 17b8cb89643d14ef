"""docs/profiles.md, "One of your own, in ten minutes": its blocks as they stand there, one after the other.

Only the port and what `token create` printed are put in."""

import os
import re
import signal
import subprocess

from fleet import TOP, free_port


def blocks():
    section = (TOP / "docs/profiles.md").read_text().split("## One of your own, in ten minutes\n")[1].split("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```$", section, re.S | re.M)
    assert len(found) >= 6
    return "".join(found)


def script(build):
    text = blocks()
    changes = [("9443", str(free_port())), ("--instance hello-1\n", "--instance hello-1 | tee $D/token.txt\n"),
               ("5f...", "$(grep -oP 'ca-fingerprint \\K[0-9a-f]+' $D/token.txt)"),
               ("troth-join-...", "$(grep -oPm1 'token +\\K\\S+' $D/token.txt)")]
    for old, new in changes:
        assert old in text, f"docs/profiles.md does not say {old!r}"
        text = text.replace(old, new)
    return f"set -euo pipefail\nexport PATH={build}:$PATH\n" + text.replace("curl ", "curl -sS ").replace("python3 ", "/usr/bin/python3 ")


def test_the_walk_ends_with_a_rotated_service(build, server, tmp_path):
    env = {**os.environ, "D": str(tmp_path), "TROTH_DIR": str(server.dir), "URL": server.url}
    process = subprocess.Popen(["timeout", "60", "bash", "-c", script(build)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=90)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL) # only if it broke off half way
        except ProcessLookupError:
            pass
    assert process.returncode == 0, out
    assert out.count("hello\n") >= 2
    assert "profile hello is fine; with its defaults:" in out and "profile hello is fine; with these settings:" in out
    assert "/prod/hello/ca: rotated in" in out and "nothing differs" in out
    shown = re.search(r"^  tls +slot +counted +(\d) +(\d) +(\d) +(\d) ", out, re.M)
    assert shown and len(set(shown.groups())) == 1 and int(shown[1]) >= 2, out
