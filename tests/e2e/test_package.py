"""The Debian packages: made, installed into a root of their own, started as their units say, used, upgraded, removed and purged.

dpkg runs for real, with the maintainer scripts on that root (--force-script-chrootless). systemd does not run here: what the units would start is
started by the test, and the units are read by systemd-analyze where there is one."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from fleet import TOP, free_port, until
from test_members import PROFILE

pytestmark = [pytest.mark.release_only,
              pytest.mark.skipif(os.geteuid() != 0, reason="dpkg needs root to install"),
              pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed")]


@pytest.fixture(scope="module")
def packages(build, tmp_path_factory):
    r = subprocess.run([str(TOP / "scripts/package"), "--into", str(tmp_path_factory.mktemp("packages"))], capture_output=True, text=True,
                       timeout=300)
    assert r.returncode == 0, r.stdout + r.stderr
    return [pathlib.Path(line) for line in r.stdout.split()]


@pytest.fixture
def root(tmp_path_factory):
    """What dpkg needs to find in a root."""
    root = tmp_path_factory.mktemp("root")
    for folder in ("var/lib/dpkg/info", "etc"):
        (root / folder).mkdir(parents=True)
    for file in ("var/lib/dpkg/status", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"):
        (root / file).touch()
    for folder in (root, *root.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)  # the service's user has to get there
    return root


def dpkg(root, *args):
    r = subprocess.run(["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--log=/dev/null", *map(str, args)],
                       capture_output=True, text=True, timeout=120, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout + r.stderr


def owner_of(root, name):
    return next((int(line.split(":")[2]), int(line.split(":")[3])) for line in (root / "etc/passwd").read_text().splitlines()
                if line.startswith(name + ":"))


def exec_start(root, unit):
    """The command of the unit, with its paths in the root."""
    text = (root / "lib/systemd/system" / unit).read_text()
    command = re.search(r"^ExecStart=(.*)$", text, re.M).group(1)
    return [str(root) + word if word.startswith("/") else word for word in command.split()]


def test_what_is_in_them(packages):
    server, agent = (subprocess.run(["dpkg-deb", "-c", str(p)], capture_output=True, text=True, check=True).stdout for p in packages)
    for path in ("./usr/bin/troth", "./usr/share/man/man1/troth.1.gz", "./usr/share/man/man1/troth-rotate.1.gz",
                 "./usr/share/bash-completion/completions/troth", "./lib/systemd/system/troth-server.service", "./usr/share/doc/troth/copyright",
                 "./usr/share/doc/troth/examples/troth-alerts.yaml", "./usr/share/doc/troth/examples/troth-grafana.json"):
        assert path + "\n" in server, path
    for path in ("./etc/troth/profiles/nginx.yaml", "./etc/troth/agent.yaml", "./lib/systemd/system/troth-agent.service"):
        assert path + "\n" in agent, path
    depends = subprocess.run(["dpkg-deb", "-f", str(packages[0]), "Depends"], capture_output=True, text=True, check=True).stdout
    assert "libssl3" in depends and "libsqlite3-0" in depends and "libc6 (>=" in depends


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_finds_no_error(packages):
    r = subprocess.run(["lintian", "--fail-on", "error", "--allow-root", *map(str, packages)], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_server_is_confined(packages, root):
    dpkg(root, "-i", *packages)
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy("/bin/kill", root / "bin/kill")  # of procps, which the package depends upon
    r = subprocess.run(["systemd-analyze", "security", "--offline=yes", f"--root={root}", "--no-pager", "troth-server.service"],
                       capture_output=True, text=True, timeout=60)
    score = re.search(r"exposure level for troth-server.service: ([0-9.]+)", r.stdout)
    assert score and float(score.group(1)) <= 2.0, r.stdout + r.stderr
    for unit in ("troth-server.service", "troth-agent.service"):
        r = subprocess.run(["systemd-analyze", "verify", f"--root={root}", unit], capture_output=True, text=True, timeout=60)
        assert not re.search(r"Unknown|Failed to parse|not executable|Invalid", r.stderr), r.stderr


def use(root, data, started):
    """A node that enrols and holds a bundle, by the agent's unit."""
    program = str(root / "usr/bin/troth")
    cli = lambda *args: subprocess.run([program, "--dir", str(data), *args], capture_output=True, text=True, timeout=60)
    ok = lambda *args: (lambda r: r.stdout if r.returncode == 0 else pytest.fail(r.stdout + r.stderr))(cli(*args))
    until("the server", lambda: cli("health").returncode == 0)
    ok("authority", "create", "/x/ca")
    ok("bundle", "create", "/x/trust", "--authority", "/x/ca")
    ok("deployment", "create", "check", "--store", "name=trust,profile=check-trust,bundle=/x/trust,parameter.proof=read")
    (root / "etc/troth/profiles/check-trust.yaml").write_text(PROFILE)
    (root / "etc/troth/agent.yaml").write_text(f"all: {{root: {root}/srv}}\n")
    text = subprocess.run(["openssl", "x509", "-in", str(data / "ca.pem"), "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True).stdout
    token = ok("token", "create", "--deployment", "check", "--instance", "node-1", "-o", "json")
    r = subprocess.run([program, "agent", "enroll", "--server", (data / "server.url").read_text().strip(), "--ca-fingerprint",
                        text.split("=")[1].strip().replace(":", ""), "--token-file", "-", "--dir", str(root / "var/lib/troth-agent")],
                       input=re.search(r"troth-join-[^\"]+", token).group(0) + "\n", capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stdout + r.stderr
    assert (root / "var/lib/troth-agent/identity.pem").exists(), "what the unit's condition asks for"
    command = ["nobody" if word == "troth-agent" else word for word in exec_start(root, "troth-agent.service")]  # no such user on this host
    started.append(subprocess.Popen(command, stdout=open(root / "agent.log", "w"), stderr=subprocess.STDOUT))
    until("the store to be counted", lambda: "counted" in cli("target", "list").stdout and (root / "srv/trust/current/ca.pem").exists())


def test_installed_started_used_and_purged(packages, root):
    started, data = [], root / "var/lib/troth/server"
    dpkg(root, "-i", *packages)
    uid, gid = owner_of(root, "troth")
    assert (root / "var/lib/troth").stat().st_uid == uid and (root / "var/lib/troth").stat().st_mode & 0o777 == 0o700
    port, program = free_port(), str(root / "usr/bin/troth")
    assert not data.exists(), "nothing is set up by itself"
    try:
        r = subprocess.run([program, "init", "--dir", str(data), "--listen", f"127.0.0.1:{port}"], user=uid, group=gid, extra_groups=[],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stdout + r.stderr
        assert (data / "admin.json").exists(), "what the unit's condition asks for"
        started.append(subprocess.Popen(exec_start(root, "troth-server.service"), user=uid, group=gid, extra_groups=[], umask=0o077,
                                        stdout=open(root / "server.log", "w"), stderr=subprocess.STDOUT))
        use(root, data, started)
        (data / "troth.yaml").write_text("log_format: json\n")
        reload = re.search(r"^ExecReload=(.*)$", (root / "lib/systemd/system/troth-server.service").read_text(), re.M).group(1)
        subprocess.run(reload.replace("$MAINPID", str(started[0].pid)).split(), check=True)
        until("the reload", lambda: '"event":"config.reloaded"' in (root / "server.log").read_text())
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
    master = (data / "master.key").read_bytes()
    dpkg(root, "-i", *packages)  # the same again: an upgrade keeps what is there
    assert (data / "master.key").read_bytes() == master and "check-trust" in (root / "etc/troth/profiles/check-trust.yaml").read_text()
    dpkg(root, "--remove", "troth-agent", "troth")
    assert not (root / "usr/bin/troth").exists() and (data / "master.key").exists()
    said = dpkg(root, "--purge", "troth-agent", "troth")
    assert "was kept" in said and (data / "master.key").read_bytes() == master, "no package manager loses the keys of authorities"
    assert not (root / "var/lib/troth-agent").exists() and not (root / "etc/troth/profiles/nginx.yaml").exists()


def test_a_purge_without_keys_leaves_nothing(packages, root):
    dpkg(root, "-i", *packages)
    assert "was kept" not in dpkg(root, "--purge", "troth-agent", "troth")
    left = [str(p.relative_to(root)) for p in root.rglob("*") if "dpkg" not in str(p) and not str(p.relative_to(root)).startswith(("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"))]
    assert sorted(left) in (["etc", "var", "var/lib"], ["etc", "usr", "var", "var/lib"]), left
