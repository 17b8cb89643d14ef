"""Webhooks against a real HTTPS receiver that checks each signature with plain hmac: in order, nothing lost, whatever dies."""

import base64
import hashlib
import hmac
import http.server
import json
import signal
import ssl
import subprocess
import threading
import time

import pytest

import node
from fleet import until

OPENSSL = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=Hooks -keyout ca.key -out ca.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=Other -keyout other.key -out other.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hooks -keyout hooks.key -out hooks.csr
printf 'subjectAltName=IP:127.0.0.1' >ext
openssl x509 -req -in hooks.csr -CA ca.pem -CAkey ca.key -days 9 -extfile ext -out hooks.pem
"""


class Receiver:
    """Somebody's own program: keeps what it is sent, in the order it came."""

    def __init__(self, folder):
        self.folder, self.port, self.got, self.answer, self.secrets = folder, 0, [], 204, {}
        self.gate = threading.Event()
        self.gate.set()
        subprocess.run(["bash", "-ec", OPENSSL], cwd=folder, check=True, capture_output=True)
        self.listen()

    def listen(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self.path, self.headers, body)
                receiver.gate.wait(30)
                self.send_response(receiver.answer)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *args: None  # a sender that dies, or does not believe us
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "hooks.pem", self.folder / "hooks.key")
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def take(self, path, headers, body):
        said = json.loads(body)
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secrets[path].removeprefix("whsec_"))
        good = headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
        assert headers["Content-Type"] == "application/json" and said["id"] == headers["webhook-id"]
        self.got.append((path, said, good and fresh))

    def events(self, path):
        """What it was told, each once, in the order of coming; dropped by id as a receiver must."""
        seen = {}
        for p, said, good in list(self.got):
            assert good, "the signature holds, and the time is now"
            if p == path and said["seq"]:
                seen.setdefault(said["id"], said)
        return list(seen.values())


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    r = Receiver(tmp_path_factory.mktemp("receiver"))
    yield r
    r.gate.set()
    r.close()


def add(server, receiver, name, *args, ca="ca.pem"):
    said = server.cli.json("webhook", "add", name, "--url", f"https://127.0.0.1:{receiver.port}/{name}", "--receiver-ca", str(receiver.folder / ca), *args)
    receiver.secrets[f"/{name}"] = said["secret"]
    return said


def all_events(server):
    return server.curl("GET", "/v1/events?limit=200")[1]["items"]


def told_all(server, receiver, path, first):
    """Every event from `first` on, in order and as the API tells it."""
    def same():
        want = [(e["seq"], e["kind"], e["at"], e["object"], e["data"]) for e in all_events(server) if e["seq"] > first]
        got = [(e["seq"], e["type"], e["time"], e["object"], e["data"]) for e in receiver.events(path)]
        return want == got and len(got)
    return until("the receiver to know all", same, 30)


def state(server, name):
    return server.cli.json("webhook", "show", name)


def test_all_events_of_a_rotation_arrive_in_order(server, receiver):
    hook = add(server, receiver, "ops")
    assert "the receiver answered 204" in server.cli.ok("webhook", "test", "ops")
    node.authority(server.cli)
    server.cli.ok("deployment", "create", "/prod/shops", "--external", "--grace", "1s", "--store", f"name=trust,bundle={node.BUNDLE}")
    shop = node.party(server, "/prod/shops", "shop-1")
    shop.fetch_and_load()
    server.cli.ok("rotate", node.AUTHORITY, "--no-wait")
    until("the rotation", lambda: shop.fetch_and_load() and server.cli.json("rotation", "list")["items"][-1]["state"] == "done", 30)
    told_all(server, receiver, "/ops", hook["cursor"])
    kinds = [e["type"] for e in receiver.events("/ops")]
    assert kinds[0] == "webhook.add" and any(k.startswith("rotation.") for k in kinds)
    seqs = [said["seq"] for p, said, _ in receiver.got if p == "/ops" and said["seq"]]
    assert seqs == sorted(set(seqs)), "a receiver that answers gets nothing twice"
    assert any(said["type"] == "webhook.ping" for _, said, _ in receiver.got)


def test_a_receiver_that_was_down_gets_what_it_missed(server, receiver):
    first = receiver.events("/ops")[0]["seq"] - 1
    receiver.close()
    server.cli.ok("authority", "create", "/hooks/one")
    until("a failure", lambda: state(server, "ops")["state"] == "failing")
    assert "Connection refused" in state(server, "ops")["error"]
    listed = server.cli.ok("webhook", "list")
    assert "failing" in listed and max(len(line) for line in listed.splitlines()) <= 80
    server.stop(signal.SIGKILL)
    server.start()
    server.cli.ok("authority", "create", "/hooks/two")
    receiver.listen()
    assert state(server, "ops")["attempts"] >= 1
    server.cli.ok("webhook", "enable", "ops")
    told_all(server, receiver, "/ops", first)
    assert {"/hooks/one", "/hooks/two"} <= {e["object"] for e in receiver.events("/ops")}


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_before_the_answer_sends_again(server, receiver, sig):
    first = receiver.events("/ops")[0]["seq"] - 1
    name = f"/hooks/{sig.name}"
    receiver.gate.clear()
    server.cli.ok("authority", "create", name)
    until("the message", lambda: any(e["object"] == name for e in receiver.events("/ops")))
    began = time.monotonic()
    server.stop(sig)
    assert time.monotonic() - began < 3, "nobody waits for a receiver at the end"
    receiver.gate.set()
    server.start()
    server.cli.ok("authority", "create", name + "/after")
    told_all(server, receiver, "/ops", first)
    assert sum(said["object"] == name for _, said, _ in receiver.got) == 2, "at least once: told twice, with one id"


def test_who_is_not_believed_or_sends_elsewhere_is_told_nothing(server, receiver):
    before = len(receiver.got)
    add(server, receiver, "wrong", "--event", "server.epoch", ca="other.pem")
    r = server.cli.run("webhook", "test", "wrong")
    assert r.returncode == 1 and "the server's certificate does not verify" in r.stderr
    said = server.cli.run("webhook", "add", "system", "--url", f"https://127.0.0.1:{receiver.port}/system", "--event", "server.epoch")
    assert said.returncode == 0 and "whsec_" in said.stdout
    r = server.cli.run("webhook", "test", "system")
    assert r.returncode == 1 and "does not verify" in r.stderr
    server.cli.ok("webhook", "add", "metadata", "--url", "https://169.254.169.254/latest", "--event", "server.epoch")
    r = server.cli.run("webhook", "test", "metadata")
    assert r.returncode == 1 and "an address that is not called" in r.stderr
    assert not [p for p, _, _ in receiver.got[before:] if p != "/ops"]
    add(server, receiver, "moved", "--event", "server.epoch")
    receiver.answer = 302
    r = server.cli.run("webhook", "test", "moved")
    receiver.answer = 204
    assert r.returncode == 1 and "redirects are not followed" in r.stderr
    assert {p for p, _, _ in receiver.got[before:]} <= {"/ops", "/moved"}
    for name in ("wrong", "system", "metadata", "moved"):
        server.cli.ok("webhook", "remove", name)


def test_one_that_says_gone_is_disabled_and_others_hear_of_it(server, receiver):
    add(server, receiver, "gone", "--event", "authority.*")
    receiver.answer = 410
    server.cli.ok("authority", "create", "/hooks/gone")
    until("it to be disabled", lambda: state(server, "gone")["state"] == "disabled")
    receiver.answer = 204
    server.cli.ok("webhook", "enable", "ops")
    until("the other to hear of it", lambda: any(e["type"] == "webhook.disabled" and e["object"] == "gone" for e in receiver.events("/ops")))
    assert "410" in server.cli.ok("webhook", "list")
    server.cli.ok("webhook", "enable", "gone")
    until("it to go on", lambda: any(e["object"] == "/hooks/gone" for e in receiver.events("/gone")) and state(server, "gone")["waiting"] == 0)


def test_bad_ones_are_refused_with_words(server):
    for args, words in ((("x", "--url", "http://hooks.example.org/"), "http is for 127.0.0.1"), (("a/b", "--url", "https://h"), "NAME: "),
                        (("x", "--url", "https://u:p@h/"), "user name"), (("x", "--url", "https://h", "--event", "A B"), '--event "A B"'),
                        (("x", "--url", "https://h", "--event", "rotation"), "write rotation.*, or one of rotation.abort")):
        r = server.cli.run("webhook", "add", *args)
        assert r.returncode == 1 and words in r.stderr, r.stderr
    assert server.cli.run("webhook", "show", "nobody").returncode == 4
    for role, scope in (("developer", "*"), ("auditor", "*"), ("operator", "/prod/*")):
        token = server.cli.json("principal", "add", f"not-{role}", "--role", role, "--scope", scope)["token"]
        assert server.curl("GET", "/v1/webhooks", token=token)[0] == 403


def test_the_secret_is_nowhere_but_in_the_answer(server, receiver):
    secret = receiver.secrets["/ops"]
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert secret not in json.dumps([server.cli.json("webhook", "show", "ops"), all_events(server)])
    for path in server.dir.iterdir():
        data = path.read_bytes()
        assert secret.encode() not in data and raw not in data, path
    assert secret not in server.logged()


def test_the_keeper_logs_each_signature_and_signs_no_audit_head_for_it(server, receiver):
    log = server.dir / "keeper.log"
    count = lambda act: log.read_text().count(f"act={act} result=granted")
    sent, heads = count("webhook-sign"), count("audit-sign")
    assert sent >= len(receiver.got)
    for _ in range(5):
        server.cli.ok("webhook", "test", "ops")
    until("the events of the tests", lambda: state(server, "ops")["waiting"] == 0)
    assert count("webhook-sign") >= sent + 10 and count("audit-sign") <= heads + 1, "one a minute, and one for each use of a CA"
