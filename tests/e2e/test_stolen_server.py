"""A stolen server: its certificate and its agents in wrong hands.  It may install wrong (well-formed) certificates where a
profile of the node lets it, and nothing else: no path of its choice, no command, no parameter that the node keeps to
itself, and no end of the agent."""

import http.server
import json
import ssl
import subprocess
import threading
import uuid

import pytest

from fleet import Server, until
from test_attacks import enroll

PROFILE = """
name: files
description: files that are read at each use
kinds: [slot, store]
parameters:
  root: {{default: {root}, pattern: path}}
  directory: {{default: "{{root}}/{{target}}", pattern: path}}
  port: {{default: 443, pattern: port, server: true}}
  owner: {{default: "", pattern: name}}
roots: ["{{root}}"]
directory: "{{directory}}"
files:
  - {{name: cert.pem, content: fullchain, owner: "{{owner}}"}}
  - {{name: key.pem, content: key, owner: "{{owner}}"}}
  - {{name: ca.pem, content: bundle, owner: "{{owner}}"}}
reload:
  command: [/usr/bin/touch, "{{root}}/reloaded-{{port}}"]
drain: "0"
proof: read
"""


def number(i):
    return str(uuid.UUID(int=(0x40008000 << 64) + i, version=4))


def store(i, **more):
    return {"id": number(i), "name": f"t{i}", "kind": "store", "profile": "files", "role": "server", "parameters": {}, "generation": 1,
            "certificates": [CA[0]], **more}


CA = []  # the PEM of a CA, known once there is a server


def refused_targets(victim):
    """Well-formed messages whose targets must come to nothing, each with a word of its reason."""
    slot = {"kind": "slot", "key_request": str(uuid.uuid4())}
    wicked = [
        {"name": "../victim"}, {"name": ".."}, {"name": "."}, {"name": ""}, {"name": "a/../../victim"}, {"name": f"/{victim}"}, {"name": "x\ny"},
        {"name": "a//b"}, {"name": "link"}, {"name": "link/deeper"}, {"name": "\x7f"},
        {"profile": "../files"}, {"profile": "none"}, {"profile": ""},
        {"parameters": {"root": str(victim)}}, {"parameters": {"directory": str(victim)}}, {"parameters": {"owner": "root"}},
        {"parameters": {"unknown": "x"}}, {"parameters": {"port": "1; touch x"}}, {"parameters": {"port": "99999"}},
        {"parameters": {"port": ""}}, {"parameters": {"port": "../../x"}}, {"parameters": {"proof": "probe"}},
        {"certificates": ["nonsense"]}, {"certificates": [CA[0], CA[0]]},
        {"certificates": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]},
        {**slot}, {**slot, "key_request": None, "sealed_key": "AAAA"}, {"kind": "slot", "generation": 0, "certificates": [],
         "csr": {"request": str(uuid.uuid4()), "key_type": "rsa-99999", "common_name": "x"}},
    ]
    return [store(i + 1, **w) for i, w in enumerate(wicked)]


def broken_bodies():
    """What is no message at all."""
    def say(**more):
        return json.dumps({"session": 1, "epoch": "1", "version": 1, "targets": [], "gone": [], **more}).encode()
    yield from (b"", b"{", b"[" * 5000, b"\x00\xff", b"<html>", b'{"session":1,"targets":' + b"[{}]," * 100_000 + b"0}")
    for target in ({"generation": 2**63 - 1}, {"generation": -1}, {"id": "../../x"}, {"key_request": "../../identity"},
                   {"csr": {"request": "../identity", "key_type": "ec-p256"}}, {"name": 7}):
        yield say(targets=[store(60, **target)])
    yield say(gone=["../../agent"])
    yield say(targets=[store(60)] * 70)
    yield say(version=2**64)


class Thief(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = self.server.next_body()
        self.reply(200, body if isinstance(body, bytes) else json.dumps(body).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/session"):
            self.reply(201, b'{"session":1,"epoch":"1"}')
            return
        self.server.said.append(body)
        self.reply(204, b"")

    def log_message(self, *args):
        pass


class ThiefServer(http.server.ThreadingHTTPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, port, certificate, key):
        super().__init__(("127.0.0.1", port), Thief)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.said, self.version, self.broken, self.targets = [], 1, list(broken_bodies()), []

    def next_body(self):
        """A broken one and a whole one in turn, so that the agent does not wait ever longer."""
        self.version += 1
        if self.version % 2 and self.broken:
            return self.broken.pop(0)
        return {"session": 1, "epoch": "1", "version": self.version, "targets": self.targets, "gone": []}

    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def node(build, tmp_path):
    """An agent that was enrolled with a good server, which has then been stolen."""
    for name in ("root", "victim", "profiles"):
        (tmp_path / name).mkdir()
    (tmp_path / "victim/kept").write_text("kept")
    (tmp_path / "root/link").symlink_to(tmp_path / "victim")
    (tmp_path / "profiles/files.yaml").write_text(PROFILE.format(root=tmp_path / "root"))
    with Server(build) as s:
        s.cli.ok("deployment", "create", "d")
        token = s.curl("POST", "/v1/tokens", {"deployment": "d", "instance": "node"})[1]["token"]
        assert enroll(s, build, tmp_path / "agent", ["--token-file", "-"], input=token).returncode == 0
        CA[:] = [(s.dir / "ca.pem").read_text()]
        s.stop()
        thief = ThiefServer(s.port, s.dir / "server.pem", s.dir / "server.key")
        threading.Thread(target=thief.serve_forever, daemon=True).start()
        with open(tmp_path / "agent.log", "w") as log:
            agent = subprocess.Popen([str(build / "troth"), "agent", "run", "--dir", str(tmp_path / "agent"), "--profiles",
                                      str(tmp_path / "profiles")], stdout=log, stderr=log)
            try:
                yield thief, agent, tmp_path
            finally:
                agent.terminate()
                agent.wait(20)
                thief.shutdown()


def files(top):
    return {p.relative_to(top).as_posix() for p in top.rglob("*")}


def test_a_stolen_server_has_no_more_than_the_profile_gives(node):
    thief, agent, here = node
    wicked = refused_targets(here / "victim")
    thief.targets = wicked + [store(50), store(51, parameters={"port": "8443"})]

    def settled():
        return {m["target"] for m in thief.said if m.get("settled") and m.get("level") and m.get("generation") == 1}
    until("the good ones to be installed", lambda: {number(50), number(51)} <= settled(), 30)
    until("all broken bodies to be read", lambda: not thief.broken, 60)
    wanted = {t["id"] for t in wicked if t["generation"]}
    until("every refusal to be told", lambda: wanted <= {m["target"] for m in thief.said if m.get("failed")}, 20)
    log = (here / "agent.log").read_text()
    assert agent.poll() is None, log
    assert "ERROR: AddressSanitizer" not in log and "runtime error" not in log
    assert not settled() & wanted, "none of the wicked counts"
    assert log.count("csr.failed") < 10, "what cannot be done is not tried all the time"
    for m in thief.said:
        assert not m.get("failed") or m["failed"]["reason"]
    root = files(here / "root")
    extra = {p.split("/")[0] for p in root} - {"link", "t50", "t51", "reloaded-443", "reloaded-8443"} - {t["name"] for t in wicked}
    assert not extra
    assert (here / "root/t50/current/ca.pem").read_text().strip() == CA[0].strip()
    assert {p for p in root if p.endswith("ca.pem") and "/v" in p and p.split("/")[0] not in ("t50", "t51")} == set()
    assert files(here / "victim") == {"kept"} and not (here.parent / "victim").exists()
    assert sorted(p.name for p in here.iterdir()) == ["agent", "agent.log", "profiles", "root", "victim"]
