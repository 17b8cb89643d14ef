"""The server as a process: how it starts, refuses to start, stops, and lives with a keeper that dies."""

import os
import signal
import subprocess
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
