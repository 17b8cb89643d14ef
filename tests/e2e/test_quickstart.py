"""scripts/quickstart as a user runs it: the main job, and the careless way that must fail."""

import subprocess

from fleet import LINE, TOP


def quickstart(build, *args):
    return subprocess.run([str(TOP / "scripts/quickstart"), "--build", str(build), *args], capture_output=True, text=True,
                          timeout=180)


def test_once_rotates_without_a_failed_handshake(build):
    r = quickstart(build, "--once")
    assert r.returncode == 0, r.stdout + r.stderr
    took, handshakes, failed = LINE.search(r.stdout).groups()
    assert r.stdout.rstrip().endswith(LINE.search(r.stdout).group(0)), "the line is the last one"
    assert int(failed) == 0
    assert int(handshakes) > 200
    assert float(took) < (15 if "asan" not in build.name else 45)


def test_the_careless_way_shows_failed_handshakes(build):
    r = quickstart(build, "--break", "overlap")
    assert r.returncode == 1, r.stdout + r.stderr
    assert "certificate verify failed" in r.stdout
    assert " 0 failed" not in r.stdout.splitlines()[-1]


def test_wrong_option_is_refused(build):
    r = quickstart(build, "--brake")
    assert r.returncode == 2
    assert "--help" in r.stderr
