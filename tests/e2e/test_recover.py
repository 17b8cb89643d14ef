"""When everything has expired: a real server, two real agents and nginx, on a clock that the test moves.

Everything is stopped, the clock goes ahead, everything starts again.  After three months the agents' identities and the
service's certificate are over; after eleven years so are the server's certificate and every CA."""

import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from fleet import TOP, Cli, Server, free_port, until
from test_members import PROFILE

DAY = 24 * 3600


class Node:
    """One instance with its agent."""

    def __init__(self, world, name, deployment, settings):
        self.world, self.name, self.dir, self.agent = world, name, world.base / name, None
        self.dir.mkdir()
        (self.dir / "settings.yaml").write_text(settings.replace("ROOT", str(self.dir)))
        out = world.cli.ok("token", "create", "--deployment", deployment, "--instance", name)
        token = next(word for word in out.split() if word.startswith("troth-join-"))
        fingerprint = out.split("--ca-fingerprint ")[1].split()[0]
        subprocess.run([world.troth, "agent", "enroll", "--server", world.server.url, "--ca-fingerprint", fingerprint, "--token-file", "-",
                        "--dir", str(self.dir / "agent")], input=token, text=True, check=True, capture_output=True, timeout=30)
        self.start()

    def start(self):
        self.agent = subprocess.Popen([self.world.troth, "agent", "run", "--dir", str(self.dir / "agent"), "--profiles",
                                       str(self.world.base / "profiles"), "--settings", str(self.dir / "settings.yaml")],
                                      stdout=open(self.dir / "log", "a"), stderr=subprocess.STDOUT)

    def stop(self):
        self.agent.terminate()
        self.agent.wait(30)

    def status(self):
        r = subprocess.run([self.world.troth, "agent", "status", "--dir", str(self.dir / "agent")], capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def logged(self):
        return (self.dir / "log").read_text()


class World:
    def __init__(self, build, base):
        self.base, self.troth = base, str(base / "bin/troth")
        (base / "bin").mkdir()
        shutil.copy(build / "tests/e2e/troth-shifted", self.troth)
        shutil.copytree(TOP / "profiles", base / "profiles")
        (base / "profiles/check-trust.yaml").write_text(PROFILE)
        self.server = Server(base / "bin")
        self.nodes, self.nginx, self.port = [], None, free_port()

    def __enter__(self):
        self.server.__enter__()
        try:
            self.build_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def build_up(self):
        self.cli = self.server.cli
        self.cli.ok("authority", "create", "/prod/ca")
        self.cli.ok("bundle", "create", "/prod/trust", "--authority", "/prod/ca")
        self.cli.ok("deployment", "create", "web", "--slot",
                    "name=tls,profile=nginx,authority=/prod/ca,credential=/prod/{instance}/server,san=localhost")
        self.cli.ok("deployment", "create", "app", "--store", "name=trust,profile=check-trust,bundle=/prod/trust,parameter.proof=read")
        self.nodes = [Node(self, "web-1", "web", f"all: {{root: ROOT, pid_file: ROOT/nginx.pid, drain: 100ms, sightings: 2}}\n"
                           f"targets: {{tls: {{port: {self.port}}}}}\n"),
                      Node(self, "app-1", "app", "targets: {trust: {root: ROOT}}\n")]
        self.web, self.app = self.nodes
        self.start_nginx()
        self.all_counted()

    def start_nginx(self):
        d = self.web.dir
        until("a certificate", lambda: (d / "nginx/tls/current/cert.pem").exists())
        temp = " ".join(f"{kind}_temp_path {d}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (d / "nginx.conf").write_text(f"daemon off; pid {d}/nginx.pid; error_log {d}/nginx.log; events {{}}\nhttp {{ access_log off; {temp}\n"
                                      f"server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {d}/nginx/tls/current/cert.pem;\n"
                                      f"ssl_certificate_key {d}/nginx/tls/current/key.pem; return 200 hello; }} }}\n")
        self.nginx = subprocess.Popen(["nginx", "-e", str(d / "nginx.log"), "-c", str(d / "nginx.conf")],
                                      stdout=open(d / "nginx.out", "w"), stderr=subprocess.STDOUT)

    def __exit__(self, *exc):
        for node in self.nodes:
            if node.agent and node.agent.poll() is None:
                node.stop()
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(30)
        self.server.__exit__(*exc)

    def states(self):
        return {t["instance"]["name"]: t["state"] for t in self.cli.json("target", "list")["items"]}

    def all_counted(self):
        until("both to count", lambda: set(self.states().values()) == {"counted"})

    def sleep_for(self, days):
        """All of it is off, for so long."""
        for node in self.nodes:
            node.stop()
        self.server.stop()
        pathlib.Path(self.troth + ".shift").write_text(str(days * DAY))
        self.server.start()
        for node in self.nodes:
            node.start()

    def served(self):
        """The end of the certificate that nginx shows, in seconds; it needs not be valid."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as raw, context.wrap_socket(raw) as s:
            pem = ssl.DER_cert_to_PEM_cert(s.getpeercert(True))
        out = subprocess.run(["openssl", "x509", "-noout", "-enddate"], input=pem, capture_output=True, text=True, check=True).stdout
        return ssl.cert_time_to_seconds(out.strip().split("=")[1])

    def waiting(self):
        return {r["instance"]: r["state"] for r in self.cli.json("recover", "list")["items"]}

    def events(self, kind):
        return [e for e in self.cli.json("audit", "list", "--object", "web-1")["items"] if e["action"] == kind]


@pytest.mark.parametrize("days", [91, 4015], ids=["three months", "eleven years"])
def test_all_has_expired(build, tmp_path, days):
    with World(build, tmp_path) as w:
        w.sleep_for(days)
        until("both to ask", lambda: w.waiting() == {"web-1": "pending", "app-1": "pending"})
        # The server's own CAs: the same keys, new dates if they had ended.
        recertified = [e["object"] for e in w.cli.json("audit", "list")["items"] if e["action"] == "authority.recertify"]
        assert sorted(recertified) == (["/troth/agents", "/troth/server"] if days > 3650 else [])
        # Everybody who looks is told what is missing.
        assert "troth recover approve web-1" in w.web.status() and "EXPIRED" in w.web.status()
        assert "event=recovery.waiting" in w.web.logged() and "troth recover approve web-1" in w.web.logged()
        explained = w.cli.ok("explain", "web-1")
        assert "web-1" in explained and "troth recover approve web-1" in explained
        listed = w.cli.ok("recover", "list")
        assert "127.0.0.1" in listed and max(map(len, listed.splitlines())) <= 80, listed
        # One is denied and stays out; it is approved after all.
        w.cli.ok("recover", "deny", "app-1")
        assert "approved" in w.cli.ok("recover", "approve", "web-1")
        until("web-1 to be back", lambda: "web-1" not in w.waiting())
        assert w.waiting()["app-1"] == "denied"
        w.cli.ok("recover", "approve", "app-1")
        w.app.stop()  # it would ask again in five minutes
        w.app.start()
        until("app-1 to be back", lambda: not w.waiting())
        assert "valid until" in w.web.status()
        assert [e["who"] for e in w.events("recovery.approve")] == ["admin"] and w.events("recovery.issue")
        # What expired is renewed by the scheduler, and a rotation completes.
        until("nginx to show a certificate that is valid", lambda: w.served() > time.time() + days * DAY)
        w.all_counted()
        r = w.cli.run("rotate", "/prod/ca", "--wait", "--again", timeout=90)
        assert r.returncode == 0, r.stdout + r.stderr + w.cli.run("explain", "/prod/ca").stdout
