"""What bad input gets: problem+json that says what, where and what to do; nothing changes."""

import json
import socket
import ssl
import subprocess
import uuid

import pytest


def csr(tmp_path, name="key"):
    key, req = tmp_path / f"{name}.key", tmp_path / f"{name}.csr"
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
                    "-keyout", str(key), "-out", str(req)], check=True, capture_output=True)
    return key, req.read_text()


class FakeAgent:
    """An agent's identity in the hands of a test."""

    def __init__(self, server, tmp_path, name):
        token = server.curl("POST", "/v1/tokens", {"deployment": "bad", "instance": name})[1]["token"]
        self.server, (self.key, request) = server, csr(tmp_path, name)
        status, reply, _ = server.curl("POST", "/v1/agent/enroll", {"token": token, "csr": request, "boot_id": str(uuid.uuid4()),
                                                                     "agent_version": "test"}, token=None)
        assert status == 201, reply
        self.token, self.id, self.boot_id = token, reply["instance_id"], str(uuid.uuid4())
        self.cert = tmp_path / f"{name}.pem"
        self.cert.write_text(reply["certificate"] + reply["chain"])
        self.session = None

    def call(self, method, path, body=None):
        return self.server.curl(method, path, body, token=None, args=("--cert", str(self.cert), "--key", str(self.key)))

    def open(self):
        status, reply, _ = self.call("POST", "/v1/agent/session", {"boot_id": self.boot_id, "agent_version": "test", "targets": []})
        assert status == 201, reply
        self.session = reply["session"]
        return self

    def desired(self, after=0):
        status, reply, _ = self.call("GET", f"/v1/agent/desired?session={self.session}&after={after}&wait=5s")
        assert status == 200, reply
        return reply

    def report(self, target, **more):
        body = {"session": self.session, "seq": 1, "target": target, "generation": 0, "high_water": 0, "level": "written",
                "settled": False, "fingerprints": [], **more}
        return self.call("POST", "/v1/agent/report", body)


@pytest.fixture(scope="module")
def world(server):
    """An authority, a bundle and a deployment with one store and one slot."""
    for path, body in (("/v1/authorities", {"name": "/bad/ca"}),
                       ("/v1/bundles", {"name": "/bad/trust", "authorities": ["/bad/ca"]}),
                       ("/v1/deployments", {"name": "bad",
                                            "slots": [{"name": "tls", "profile": "pem-files", "authority": "/bad/ca",
                                                       "credential": "/bad/{instance}/tls", "sans": ["{instance}.example"]}],
                                            "stores": [{"name": "trust", "profile": "pem-files", "bundle": "/bad/trust"}]})):
        status, reply, _ = server.curl("POST", path, body)
        assert status == 201, reply
    return server


def assert_problem(answer, status, *words):
    got, reply, kind = answer
    assert got == status, reply
    assert kind.startswith("application/problem+json")
    assert reply["title"] and reply["status"] == status and reply["type"]
    for word in words:
        assert word in json.dumps(reply), (word, reply)
    return reply


def events(server):
    """Everything that ever changed, to see that nothing did."""
    return server.cli.ok("audit", "list", "-o", "json")


@pytest.mark.parametrize("body, words", [
    ("{", ["JSON"]),
    ('{"name":"/x/ca"', ["JSON"]),
    ("{'name':'/x/ca'}", ["JSON"]),
    ('{"name":"/x/ca"} trailing', ["JSON"]),
    ("[" * 100, ["nesting"]),
    ('"just text"', ["object"]),
    ("[]", ["object"]),
    ('{"name":5}', ["$.name", "string"]),
    ('{"name":"/x/ca","extra":1}', ["$.extra", "unknown-field", "known fields"]),
    ('{"name":"no-slash"}', ["$.name"]),
    ('{"name":"/x/../ca"}', ["$.name"]),
    ('{"name":"/x/ca","key_type":"rsa-512"}', ["$.key_type", "rsa-2048"]),
    ('{"name":"/x/ca","ttl":"soon"}', ["$.ttl", "90d"]),
    ('{"name":"/troth/mine"}', ["/troth"]),
    ('{}', ["$.name", "required"]),
])
def test_a_wrong_body_is_named(world, body, words):
    before = events(world)
    assert_problem(world.curl("POST", "/v1/authorities", body), 400, *words)
    assert events(world) == before


def test_all_findings_come_at_once(world):
    reply = assert_problem(world.curl("POST", "/v1/authorities", {"nam": "x", "ttl": "soon", "exportable": "yes"}), 400)
    assert {f["path"] for f in reply["findings"]} >= {"$.nam", "$.ttl", "$.exportable", "$.name"}


def test_too_large_a_body(world):
    assert_problem(world.curl("POST", "/v1/authorities", '{"name":"' + "x" * (2 << 20) + '"}'), 413)


def test_wrong_content_type(world):
    got = world.curl("POST", "/v1/authorities", args=("-H", "Content-Type: text/plain", "--data", "name=/x/ca"))
    assert_problem(got, 415, "application/json")


def test_unknown_path_and_wrong_method(world):
    assert_problem(world.curl("GET", "/v1/nothing"), 404)
    assert_problem(world.curl("DELETE", "/v1/authorities"), 405)


def test_an_id_that_is_none(world):
    assert_problem(world.curl("GET", "/v1/authorities/not-a-uuid"), 404, "not-a-uuid", "UUID")
    assert_problem(world.curl("GET", f"/v1/authorities/{uuid.uuid4()}"), 404)


def test_a_name_that_is_taken(world):
    assert_problem(world.curl("POST", "/v1/authorities", {"name": "/bad/ca"}), 409, "/bad/ca")


def test_no_and_wrong_credentials(world):
    assert_problem(world.curl("GET", "/v1/authorities", token=None), 401)
    assert_problem(world.curl("GET", "/v1/authorities", token="wrong"), 401)


def test_join_tokens(world, tmp_path):
    _, request = csr(tmp_path)
    body = {"csr": request, "boot_id": "b", "agent_version": "test"}

    def enroll(token, **more):
        return world.curl("POST", "/v1/agent/enroll", {**body, "token": token, **more}, token=None)

    assert_problem(enroll("troth-join-nonsense"), 401, "token")
    agent = FakeAgent(world, tmp_path, "joined-once")
    assert_problem(enroll(agent.token), 401, "token")  # used
    made = world.curl("POST", "/v1/tokens", {"deployment": "bad", "instance": "revoked"})[1]
    assert world.curl("DELETE", f"/v1/tokens/{made['id']}")[0] == 204
    assert_problem(enroll(made["token"]), 401, "token")
    fixed = world.curl("POST", "/v1/tokens", {"deployment": "bad", "instance": "fixed"})[1]["token"]
    assert_problem(enroll(fixed, instance="other"), 403)
    assert_problem(enroll(fixed, csr="-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), 400, "csr")
    assert enroll(fixed)[0] == 201  # the refusals did not use it up


def test_an_expired_join_token(world, tmp_path):
    _, request = csr(tmp_path)
    token = world.curl("POST", "/v1/tokens", {"deployment": "bad", "instance": "late", "ttl": "1ms"})[1]["token"]
    answer = world.curl("POST", "/v1/agent/enroll", {"token": token, "csr": request, "boot_id": "b", "agent_version": "t"}, token=None)
    assert_problem(answer, 401, "token")


def test_wrong_ca_fingerprint(world, build, tmp_path):
    token = world.curl("POST", "/v1/tokens", {"deployment": "bad", "instance": "pinned"})[1]["token"]
    r = subprocess.run([str(build / "troth"), "agent", "enroll", "--server", world.url, "--ca-fingerprint", "00" * 32, "--token",
                        token, "--dir", str(tmp_path / "agent")], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1
    assert "fingerprint" in r.stderr


def test_an_agent_may_not_do_an_operators_work(world, tmp_path):
    agent = FakeAgent(world, tmp_path, "curious")
    assert_problem(agent.call("GET", "/v1/authorities"), 403)
    assert_problem(agent.call("POST", "/v1/tokens", {"deployment": "bad"}), 403)


def test_an_operator_is_no_agent(world):
    assert_problem(world.curl("POST", "/v1/agent/session", {"boot_id": "b", "agent_version": "t", "targets": []}), 403)


def test_reports_are_held_to_session_target_and_generation(world, tmp_path):
    one, two = FakeAgent(world, tmp_path, "one").open(), FakeAgent(world, tmp_path, "two").open()
    mine = next(t for t in one.desired()["targets"] if t["kind"] == "store")
    theirs = next(t for t in two.desired()["targets"] if t["kind"] == "store")
    # another's target
    assert_problem(one.report(theirs["id"]), 403)
    # a target that is none
    assert_problem(one.report(str(uuid.uuid4())), 404)
    # a session that was never opened, or is over
    stale = one.session
    one.open()
    answer = assert_problem(one.call("POST", "/v1/agent/report", {
        "session": stale, "seq": 1, "target": mine["id"], "generation": 0, "high_water": 0, "level": "written", "settled": False,
        "fingerprints": []}), 409)
    assert "stale-session" in answer["type"]
    # more loaded than promised never to load again
    assert_problem(one.report(mine["id"], generation=5, high_water=4), 400)
    # a fingerprint that is none
    assert_problem(one.report(mine["id"], fingerprints=["xyz"]), 400, "$.fingerprints[0]")


def test_a_csr_nobody_asked_for(world, tmp_path):
    agent = FakeAgent(world, tmp_path, "eager").open()
    slot = next(t for t in agent.desired()["targets"] if t["kind"] == "slot")
    _, request = csr(tmp_path, "eager2")
    answer = agent.call("POST", "/v1/agent/csr", {"session": agent.session, "target": slot["id"], "request": str(uuid.uuid4()),
                                                   "csr": request})
    assert answer[0] in (404, 409), answer


def test_another_certificate_authority_is_nobody(world, tmp_path):
    """A client certificate that the server's agents authority did not sign."""
    key, cert = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=x", "-addext", f"subjectAltName=URI:troth://instance/{uuid.uuid4()}", "-keyout", str(key), "-out",
                    str(cert)], check=True, capture_output=True)
    r = subprocess.run(["curl", "-sS", "--cacert", str(world.dir / "ca.pem"), "--cert", str(cert), "--key", str(key), "-o", "/dev/null",
                        "-w", "%{http_code}", world.url + "/v1/authorities"], capture_output=True, text=True, timeout=30)
    assert r.returncode != 0 or r.stdout == "401", r.stdout


def raw(server, data, reads=4096):
    context = ssl.create_default_context(cafile=str(server.dir / "ca.pem"))
    with socket.create_connection(("127.0.0.1", server.port), 10) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
            s.sendall(data)
            return s.recv(reads)


@pytest.mark.parametrize("data", ids=("no-host", "two-lengths", "length-and-chunked", "garbage", "long-url", "many-headers"), argvalues=[
    b"GET /v1/health HTTP/1.1\r\n\r\n",  # no Host
    b"POST /v1/authorities HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /v1/authorities HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"GARBAGE\r\n\r\n",
    b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
])
def test_broken_http_is_refused(world, data):
    try:
        answer = raw(world, data)
    except (ConnectionError, ssl.SSLError):
        answer = b""
    assert answer == b"" or answer.split(b" ")[1].startswith(b"4"), answer[:200]
    assert world.curl("GET", "/v1/health")[0] == 200


def test_plain_http_to_the_tls_port(world):
    with socket.create_connection(("127.0.0.1", world.port), 10) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        s.settimeout(10)
        try:
            s.recv(100)
        except ConnectionError:
            pass
    assert world.curl("GET", "/v1/health")[0] == 200


def test_no_private_key_in_any_reply_or_log(world):
    texts = [world.logged()]
    for path in ("/v1/authorities", "/v1/credentials", "/v1/bundles", "/v1/instances", "/v1/targets", "/v1/audit", "/v1/events",
                 "/v1/operations", "/v1/tokens"):
        status, reply, _ = world.curl("GET", path)
        assert status == 200, (path, reply)
        texts.append(json.dumps(reply))
    for text in texts:
        assert "PRIVATE KEY" not in text
        assert world.token not in text
