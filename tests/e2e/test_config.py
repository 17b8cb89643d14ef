"""The server's configuration: read at the start and again at SIGHUP, checked and shown."""

import json
import re
import signal
import subprocess

import pytest

from fleet import Server, until

pytestmark = pytest.mark.release_only  # the same code runs under the sanitizers in tests/unit/app/test_config*.c


@pytest.fixture(scope="module")
def own(build):
    with Server(build, ("--idle-time", "90s")) as s:
        yield s


def troth(build, *args):
    return subprocess.run([str(build / "troth"), *map(str, args)], capture_output=True, text=True, timeout=60)


def shown(build, *args):
    r = troth(build, "config", "show", *args, "-o", "json")
    assert r.returncode == 0, r.stderr
    said = json.loads(r.stdout)
    return said, {s["name"]: s for s in said["settings"]}


def hup(server, text):
    """Writes the file, has it read, and waits until the server has said what came of it: the new lines of its log."""
    before = len(server.logged())
    path = server.dir / "troth.yaml"
    path.unlink(missing_ok=True) if text is None else path.write_text(text)
    server.process.send_signal(signal.SIGHUP)
    until("the reload", lambda: re.search(r'"?event"?[=:]"?config.(reloaded|refused)', server.logged()[before:]))
    assert server.cli.run("health").returncode == 0
    return server.logged()[before:]


def test_a_reload(build, own):
    """From nothing: a file appears, its level counts at once, the option still wins; what needs a restart is named and stays; faults
    change nothing; without the file the defaults are back."""
    said, settings = shown(build, "--dir", own.dir)
    assert said["pid"] == own.process.pid and said["file"] is None
    assert (settings["idle_time"]["value"], settings["idle_time"]["source"]) == ("90s", "command line")
    assert (settings["listen"]["value"], settings["listen"]["source"]) == (f"127.0.0.1:{own.port}", "default")
    assert "event=http.request" not in own.logged()

    said = hup(own, f"# mine\nlog_level: debug\nidle_time: 1s\nrequest_time: 7s\nloops: 1\nlisten: 127.0.0.1:{own.port + 1}\n")
    assert f"event=config.reloaded file={own.dir}/troth.yaml changed=request_time,log_level" in said
    assert "event=config.restart-needed settings=listen,loops" in said
    assert "event=http.request" in own.logged(), "the new level counts"
    said, settings = shown(build, "--dir", own.dir)
    assert (settings["log_level"]["value"], settings["log_level"]["source"], settings["log_level"]["line"]) == ("debug", "file", 2)
    assert (settings["request_time"]["value"], settings["idle_time"]["value"]) == ("7s", "90s")
    assert settings["listen"]["value"] == f"127.0.0.1:{own.port}"

    said = hup(own, "log_level: error\nlog_fromat: json\nrequest_time: 5\n")
    assert 'event=config.finding at="line 2"' in said and 'event=config.finding at="line 3"' in said and "event=config.refused" in said
    assert "event=config.refused" in hup(own, "log_level: [\n")
    assert shown(build, "--dir", own.dir)[1] == settings, "nothing has changed"

    line = json.loads(hup(own, "log_level: info\nlog_format: json\n").splitlines()[-1])
    assert line["event"] == "config.reloaded" and line["changed"] == "request_time,log_level,log_format"
    assert "event=config.reloaded file=- changed=log_format" in hup(own, None), "no file: the defaults"
    r = troth(build, "config", "show", "--dir", own.dir)
    assert f"process {own.process.pid}" in r.stdout and "idle_time: 90s" in r.stdout and "# command line" in r.stdout
    for first in (("--dir", own.dir), (f"--dir={own.dir}",)):
        assert troth(build, *first, "config", "show").stdout == r.stdout
    wrong = troth(build, "--dir", own.dir, "config", "shwo")
    assert wrong.returncode == 2 and 'config has no verb "shwo"' in wrong.stderr
    assert max(map(len, r.stdout.splitlines())) <= 80


def test_a_start_with_a_bad_file(build, own, tmp_path):
    """All of it is said, with lines; nothing begins, also when the command line would win."""
    path = tmp_path / "c.yaml"
    path.write_text("log_level: loud\nloop: 3\n")
    check = troth(build, "config", "check", path)
    assert check.returncode == 1 and f"{path}:1: log_level must be one of" in check.stdout and f'{path}:2: "loop" is no setting' in check.stdout
    assert troth(build, "init", "--dir", tmp_path / "d").returncode == 0
    r = troth(build, "server", "--dir", tmp_path / "d", "--config", path, "--log-level", "info")
    assert r.returncode == 1 and "2 things are wrong" in r.stderr and "line 2" in r.stderr and "hint: " in r.stderr
    r = troth(build, "server", "--dir", tmp_path / "d", "--config", tmp_path / "none.yaml")
    assert r.returncode == 4 and "none.yaml" in r.stderr
    r = troth(build, "config", "check", tmp_path / "d")
    assert r.returncode != 0 and f"troth config check --dir {tmp_path}/d" in r.stderr
    r = troth(build, "config", "nonsense")
    assert r.returncode == 2 and "troth config check" in r.stderr


def test_a_start_with_a_file(build, tmp_path):
    """The file says where it listens and how it logs; --config takes another place than the directory."""
    path = tmp_path / "c.yaml"
    path.write_text("log_format: json\nlisten: 127.0.0.1:0\n")
    with Server(build, ("--config", str(path))) as s:
        lines = [json.loads(line) for line in s.logged().splitlines() if line.startswith("{")]
        assert any(line["event"] == "server.ready" for line in lines)
        said, settings = shown(build, "--dir", s.dir)
        assert said["file"] == str(path) and settings["listen"]["source"] == "file"
        assert settings["listen"]["value"] == (s.dir / "server.url").read_text().strip().removeprefix("https://")
        s.stop()
        assert not (s.dir / "server.settings").exists()
        assert shown(build, "--dir", s.dir)[1]["log_format"]["value"] == "logfmt", "none runs: what one would be started with"
