"""A fleet as scripts/quickstart brings it up, and a server alone; both stop what they started, by pid."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from api import Api

TOP = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("web", "db", "cache")
CLIENTS = ("app-1", "app-2", "app-3")
RATE = 25  # handshakes a second of each client; all of it together takes a fifth of a core, PostgreSQL most
FULL_RATE = 80  # where the handshakes are the matter; three quarters of a core


def until(what, condition, seconds=60):
    """Polls a condition of another process; fails with words when the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def free_port():
    """A port to listen on, below those that the kernel gives to clients: they come and go too fast to be relied on."""
    while True:
        with socket.socket() as s:
            try:
                port = random.randrange(10000, 20000)
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Cli:
    """The CLI against one server directory."""

    def __init__(self, build, server_dir):
        self.program, self.server_dir = str(build / "troth"), str(server_dir)

    def run(self, *args, timeout=120, **kwargs):
        return subprocess.run([self.program, "--dir", self.server_dir, *args], capture_output=True, text=True,
                              timeout=timeout, **kwargs)

    def ok(self, *args, **kwargs):
        r = self.run(*args, **kwargs)
        assert r.returncode == 0, f"troth {' '.join(args)} exited {r.returncode}:\n{r.stdout}{r.stderr}"
        return r.stdout

    def json(self, *args, **kwargs):
        return json.loads(self.ok(*args, "-o", "json", **kwargs))

    def start(self, *args):
        return subprocess.Popen([self.program, "--dir", self.server_dir, *args], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)


class Fleet:
    def __init__(self, build, args=(), rate=RATE):
        self.build, self.args = build, ("--rate", os.environ.get("TROTH_RATE", str(rate)), *args)

    def __enter__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="troth-e2e-", dir="/tmp"))
        self.base.chmod(0o755)
        self.dir = self.base / "fleet"
        self.log = open(self.base / "quickstart.log", "w+")
        self.process = subprocess.Popen([str(TOP / "scripts/quickstart"), "--hold", "--dir", str(self.dir), "--build",
                                         str(self.build), *self.args], stdout=self.log, stderr=subprocess.STDOUT)
        try:
            until("the fleet", lambda: (self.dir / "run/ready").exists() or self.process.poll() is not None, 120)
            assert self.process.poll() is None, (self.base / "quickstart.log").read_text()
        except AssertionError:
            self.__exit__(None, None, None)
            raise
        self.cli = Cli(self.build, self.dir / "server")
        ports = dict(p.split("=") for p in (self.dir / "run/ports").read_text().split())
        self.ports = {name: int(port) for name, port in ports.items()}
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def pid(self, name):
        return int((self.dir / "run" / f"{name}.pid").read_text())

    def tree(self, name):
        """The pid of a process and of all below it."""
        pids, todo = [], [self.pid(name)]
        while todo:
            pid = todo.pop()
            pids.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += [int(p) for p in children.read_text().split()]
                except OSError:
                    pass
        return pids

    def signal(self, name, sig):
        for pid in self.tree(name):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass

    def kill_and_await_restart(self, name):
        """kill -9, and wait for the supervisor's new process."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        until(f"{name} to be started again", lambda: self.pid(name) != old)

    def counts(self):
        rows = [(self.dir / c / "stats").read_text().split() for c in CLIENTS]
        return sum(int(r[0]) for r in rows), sum(int(r[1]) for r in rows)

    def failures(self):
        return "".join((self.dir / c / "failures").read_text() for c in CLIENTS if (self.dir / c / "failures").exists())

    def assert_no_failure(self):
        handshakes, _ = self.counts()
        until("fresh handshakes", lambda: self.counts()[0] > handshakes + 30)
        assert self.counts()[1] == 0, self.failures()

    def signer(self):
        """The uuid of the version of /demo/ca that signs."""
        authority = self.cli.json("authority", "show", "/demo/ca")
        return next(v["id"] for v in authority["versions"] if v["signing"])

    def root_fingerprints(self):
        authority = self.cli.json("authority", "show", "/demo/ca")
        return {v["id"]: v["fingerprint"] for v in authority["versions"]}


class Server:
    """One `troth server` in a directory of its own."""

    def __init__(self, build, args=()):
        self.build, self.args, self.described = build, args, None

    def __enter__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="troth-e2e-", dir="/tmp"))
        self.dir = self.base / "server"
        self.cli = Cli(self.build, self.dir)
        self.port = free_port()
        r = subprocess.run([str(self.build / "troth"), "init", "--dir", str(self.dir), "--listen", f"127.0.0.1:{self.port}"],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stdout + r.stderr
        self.process = None
        self.start()
        return self

    def start(self):
        self.log = open(self.base / "server.log", "a")
        self.process = subprocess.Popen([str(self.build / "troth"), "server", "--dir", str(self.dir), *self.args],
                                        stdout=self.log, stderr=self.log)
        until("the server", lambda: self.cli.run("health").returncode == 0 or self.process.poll() is not None)
        assert self.process.poll() is None, self.logged()

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(30)
        self.log.close()

    def logged(self):
        return (self.base / "server.log").read_text()

    def keeper_pid(self):
        for children in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in children.read_text().split():
                if b"keeper" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
        raise AssertionError("the server has no keeper")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def token(self):
        return (self.dir / "admin.token").read_text().strip()

    @property
    def api(self):
        """What it says of its API; asked for once."""
        if self.described is None:
            self.described = Api(self.curl("GET", "/v1/openapi.json", held=False)[1])
        return self.described

    def curl(self, method, path, body=None, *, token="", args=(), timeout=30, held=True):
        """(status, reply, type) by the real curl; token None sends none.  The answer is held against the API's description."""
        cmd = ["curl", "-sS", "-X", method, "--cacert", str(self.dir / "ca.pem"), "-w", "\n%{http_code} %{content_type}", *args]
        if token is not None:
            cmd += ["-H", f"Authorization: Bearer {token or self.token}"]
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            cmd += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        else:
            text = None
        r = subprocess.run([*cmd, self.url + path], input=text, capture_output=True, text=True, timeout=timeout)
        assert r.returncode == 0, r.stderr
        reply, _, last = r.stdout.rpartition("\n")
        status, _, kind = last.partition(" ")
        reply = json.loads(reply) if "json" in kind and reply else reply
        if held:
            self.api.hold(method, path, int(status), reply, kind)
        return int(status), reply, kind

    def __exit__(self, *exc):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


LINE = re.compile(r"^quickstart: rotated /demo/ca on 3 services in ([0-9.]+) s, ([0-9]+) handshakes, ([0-9]+) failed$", re.M)
