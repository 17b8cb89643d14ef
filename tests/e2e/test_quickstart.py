"""scripts/quickstart as a user runs it: the main job, and the careless way that must fail."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from fleet import LINE, TOP, until

pytestmark = pytest.mark.release_only  # it is about scripts/quickstart, which runs what test_main_path has sanitized


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


def running_in(directory):
    """The processes that name this directory or work in it, as (pid, name)."""
    found = set()
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if directory in (stat.parent / "cmdline").read_text() + os.readlink(stat.parent / "cwd"):
                name, _, rest = stat.read_text().rpartition(")")
                if rest.split()[0] != "Z":
                    found.add((int(stat.parent.name), name.partition("(")[2]))
        except OSError:
            pass
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_leave_nothing(build, how, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as out:
        # A terminal sends its signal to the whole group; whoever runs the tests may ignore it.
        p = subprocess.Popen([str(TOP / "scripts/quickstart"), "--hold", "--build", str(build)], stdout=out, stderr=out,
                             start_new_session=True, preexec_fn=lambda: signal.signal(how, signal.SIG_DFL))
    try:
        until("the fleet", lambda: "ready in" in log.read_text() or p.poll() is not None, 120)
        assert p.poll() is None, log.read_text()
        directory = re.search(r"ready in (\S+)", log.read_text()).group(1)
        assert {"nginx", "postgres", "redis-server"} <= {name for _, name in running_in(directory)}
        os.killpg(p.pid, how)
        assert p.wait(60) == 128 + how
    finally:
        if p.poll() is None:
            p.terminate()
            p.wait(60)
    assert not running_in(directory)
    assert not pathlib.Path(directory).exists()
    assert log.read_text().splitlines()[-1].startswith("quickstart: ready in"), "it ends without a word"


@pytest.mark.parametrize("args, says", [(["--rate", "0"], "1 to 9999"), (["--rate", "fast"], "1 to 9999"), (["--rate"], "1 to 9999"),
                                        (["--levels", "3"], "1 or 2"), (["--lives", "60/30"], "60s/30s"), (["--nonsense"], "--help")])
def test_wrong_options_are_said(build, args, says):
    r = quickstart(build, *args)
    assert r.returncode == 2 and says in r.stderr and not r.stdout
