"""The server as a process: how it starts, refuses to start, stops, and lives with a keeper that dies."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from fleet import Server, until


def troth(build, *args):
    return subprocess.run([str(build / "troth"), *args], capture_output=True, text=True, timeout=60)


@pytest.fixture()
def own(build):
    with Server(build) as s:
        yield s


def test_a_directory_without_a_server_in_it(build, tmp_path):
    r = troth(build, "server", "--dir", str(tmp_path))
    assert r.returncode == 4 and "not a complete data directory" in r.stderr and "hint: make one with: troth init" in r.stderr


def test_a_directory_in_use(build, server):
    r = troth(build, "server", "--dir", str(server.dir), "--listen", "127.0.0.1:0")
    assert r.returncode == 1 and "another troth server uses the store" in r.stderr and "hint:" in r.stderr
    assert server.cli.run("health").returncode == 0


def test_a_busy_port(build, server, tmp_path):
    assert troth(build, "init", "--dir", str(tmp_path / "d"), "--listen", f"127.0.0.1:{server.port}").returncode == 0
    r = troth(build, "server", "--dir", str(tmp_path / "d"))
    assert r.returncode == 1 and "could not listen" in r.stderr and "--listen" in r.stderr


def test_init_does_not_overwrite(build, server):
    token = server.token
    r = troth(build, "init", "--dir", str(server.dir))
    assert r.returncode == 1 and "complete data directory already" in r.stderr
    assert server.token == token


def test_wrong_command_lines(build, tmp_path):
    for args in (("server",), ("server", "--dir"), ("server", "--dri", "x"), ("init",), ("init", "--dir", "x", "word"),
                 ("server", "--dir", "x", "--log-level", "loud")):
        r = troth(build, *args)
        assert r.returncode == 2 and "--help" in r.stderr, args


@pytest.fixture()
def ordinary(build):
    """A data directory of a user who is not root, where he can reach it; called with words of a command, it is run as him."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="troth-e2e-", dir="/tmp"))
    base.chmod(0o755)
    shutil.copy(build / "troth", base / "troth")
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    home = base / "home"
    home.mkdir()
    if user:
        os.chown(home, 65534, 65534)

    def run(*args):
        return subprocess.run([base / "troth", *map(str, args)], capture_output=True, text=True, timeout=20, **user)
    run.dir = home / "d"
    assert run("init", "--dir", run.dir, "--listen", "127.0.0.1:0").returncode == 0
    try:
        yield run
    finally:
        for path in (run.dir, *run.dir.iterdir()):
            path.chmod(0o700)
        shutil.rmtree(base)


def hint(r):
    return next((line for line in r.stderr.splitlines() if line.startswith("hint: ")), "")


@pytest.mark.release_only
def test_what_cannot_be_read_or_written_is_named(ordinary):
    d = ordinary.dir
    for path, mode, words in ((d, 0o500, "could not write to"), (d / "troth.db", 0o400, "could not write to"), (d / "troth.db", 0, "could not read"),
                              (d / "server.key", 0, "could not read"), (d / "server.listen", 0, "could not read")):
        was = path.stat().st_mode & 0o777
        path.chmod(mode)
        r = ordinary("server", "--dir", d)
        path.chmod(was)
        assert r.returncode == 1 and f'{words} "{path}": Permission denied' in r.stderr and "chmod u+rw" in hint(r), (path, mode, r.stderr)
    if os.geteuid() == 0:
        os.chown(d / "server.key", 0, 0)
        r = ordinary("server", "--dir", d)
        assert r.returncode == 1 and "it belongs to the user with the id 0" in hint(r), r.stderr
        os.chown(d / "server.key", 65534, 65534)
    (d / "master.key").chmod(0)
    r = ordinary("server", "--dir", d)
    assert r.returncode == 1 and f'could not open master key "{d}/master.key"' in r.stderr and "readable by the user" in r.stderr, r.stderr
    for args in (("init", "--dir", "/proc/nowhere/d"), ("dev", "--dir", "/proc/nowhere/d")):
        r = ordinary(*args)
        assert r.returncode in (1, 4) and "could not make directory" in r.stderr and "say another --dir" in hint(r), r.stderr


@pytest.mark.release_only
def test_what_is_missing_or_damaged_is_named(ordinary):
    d = ordinary.dir
    for name in ("troth.db", "server.key", "server.pem", "ca.pem", "admin.json", "server.listen"):
        (d / name).rename(d / "away")
        r = ordinary("server", "--dir", d)
        (d / "away").rename(d / name)
        assert r.returncode == 4 and f"there is no {d / name}" in r.stderr and ("init" if name == "troth.db" else "restore") in hint(r), r.stderr
    for name, words in (("troth.db", "not a store"), ("server.key", "server.key: "), ("server.pem", "server.pem: "), ("admin.json", "admin.json: "),
                        ("server.listen", "server.listen: "), ("epoch", "epoch"), ("master.key", "master.key")):
        kept = (d / name).read_bytes() if (d / name).exists() else None
        (d / name).write_text("junk\n")
        r = ordinary("server", "--dir", d)
        (d / name).write_bytes(kept) if kept is not None else (d / name).unlink()
        assert r.returncode == 1 and words in r.stderr and hint(r), (name, r.stderr)
    (d / "master.key").rename(d / "away")
    r = ordinary("server", "--dir", d)
    assert r.returncode == 1 and "from its backup" in r.stderr, r.stderr


@pytest.mark.release_only
def test_a_clock_in_the_past(build, tmp_path):
    """What was written last is the measure: five minutes are forgiven, a day is not, unless somebody says so."""
    program, shift, d = tmp_path / "troth", tmp_path / "troth.shift", tmp_path / "d"
    shutil.copy(build / "tests/e2e/troth-shifted", program)

    def run(*args, ready=False):
        p = subprocess.Popen([program, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if ready:
            until("the server", lambda: (d / "server.url").exists() or p.poll() is not None)
            p.terminate()
        try:
            _, said = p.communicate(timeout=20)
        finally:
            p.kill()
        return p.returncode, said
    assert run("init", "--dir", d, "--listen", "127.0.0.1:0")[0] == 0
    shift.write_text("-86400")
    code, said = run("server", "--dir", d)
    assert code == 1 and "the clock says" in said and "hint: set the clock" in said and "--clock-went-back" in said
    assert run("server", "--dir", d, "--clock-went-back", ready=True)[0] == 0
    shift.write_text("0")
    assert run("server", "--dir", d, ready=True)[0] == 0
    shift.write_text("-100")
    assert run("server", "--dir", d, ready=True)[0] == 0


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_stops_within_two_seconds_with_polls_held(own, sig):
    held = subprocess.Popen(["curl", "-sS", "--cacert", str(own.dir / "ca.pem"), "-H", f"Authorization: Bearer {own.token}", "-w", " %{http_code}",
                             f"{own.url}/v1/events?after=1000000&wait=50s"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until("the poll to be connected", lambda: len(os.listdir(f"/proc/{own.process.pid}/fd")) and
          any(f":{own.port:04X}" in line.split()[1] and line.split()[3] == "01"
              for line in open("/proc/net/tcp").read().splitlines()[1:]))
    began = time.monotonic()
    own.process.send_signal(sig)
    assert own.process.wait(20) == 0
    assert time.monotonic() - began < 2
    out, _ = held.communicate(timeout=20)
    assert not (own.dir / "server.url").exists()
    assert "event=server.stopped" in own.logged()
    assert out  # it was answered or cut off, not left hanging


def test_keeper_killed_once_is_started_again(own):
    os.kill(own.keeper_pid(), signal.SIGKILL)
    until("the keeper to be back", lambda: own.curl("POST", "/v1/authorities", {"name": f"/again/ca{time.monotonic_ns()}"})[0] == 201)
    assert own.process.poll() is None
    assert own.curl("GET", "/v1/health", token=None)[0] == 200


def test_keeper_killed_three_times_in_a_minute_stops_the_server(own):
    for _ in range(3):
        if own.process.poll() is not None:
            break
        pid = until("a keeper", lambda: own.process.poll() is not None or keeper(own))
        if pid is True:
            break
        os.kill(pid, signal.SIGKILL)
        until("its end to be noticed", lambda: own.process.poll() is not None or keeper(own) not in (None, pid))
    assert own.process.wait(20) == 1
    assert "the keeper ended 3 times in a minute" in own.logged()


def keeper(server):
    try:
        return server.keeper_pid()
    except (AssertionError, OSError):
        return None


def test_what_was_answered_survives_a_kill(own):
    assert own.curl("POST", "/v1/authorities", {"name": "/kept/ca"})[0] == 201
    own.stop(signal.SIGKILL)
    own.start()
    assert "/kept/ca" in own.cli.ok("authority", "list")
    assert own.cli.run("audit", "verify").returncode == 0
