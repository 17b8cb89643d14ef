"""The running program under the hands of those it must not trust: a hostile client of the network, a stolen agent, and an
operator who is careless about what others on the machine can see."""

import json
import os
import pathlib
import re
import stat
import subprocess
import uuid

import pytest

from fleet import Server
from test_bad_input import FakeAgent, assert_problem, csr, events, world  # noqa: F401  (a fixture)

HUGE = 2**63 - 1


# -- anybody on the network -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("body", ids=("long-paths", "many-values", "many-unknown-fields", "many-objects"), argvalues=[
    '{"%s":' % ("k" * 80) * 13 + "[" + "0," * 400_000 + "0]" + "}" * 13,
    "[" + "0," * 500_000 + "0]",
    "{" + ",".join(f'"a{i}":1' for i in range(90_000)) + "}",
    '{"token":[' + "{}," * 300_000 + "{}]}",
])
def test_a_body_that_grows_is_refused(world, body):  # noqa: F811
    assert_problem(world.curl("POST", "/v1/agent/enroll", body, token=None), 413, "values")
    assert_problem(world.curl("POST", "/v1/authorities", body), 413, "values")


def s_client(server, *args, said=b""):
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", str(server.dir / "ca.pem"), *args],
                       input=said, capture_output=True, timeout=30)
    return (r.stdout + r.stderr).decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_tls_is_refused(world, version):  # noqa: F811
    assert "Cipher is (NONE)" in s_client(world, version, "-cipher", "ALL:@SECLEVEL=0")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_tls_has_no_compression_and_no_tickets(world, version):  # noqa: F811
    said = s_client(world, version)
    assert "Verification: OK" in said and "Compression: NONE" in said
    assert "TLS session ticket:" not in said


def test_a_client_cannot_renegotiate(world):  # noqa: F811
    said = s_client(world, "-tls1_2", "-legacy_renegotiation", said=b"R\nGET /v1/health HTTP/1.0\r\nHost: x\r\n\r\n")
    assert "RENEGOTIATING" in said and "200 OK" not in said


def test_what_callers_send_stays_on_its_own_log_line(build):
    with Server(build, ("--log-level", "debug")) as s:
        secret = "troth-join-" + "5" * 64
        for path in ("/v1/x%0atime=now%20level=error", "/v1/authorities?name=/x%0d%0aevent=forged", "/v1/%c3%28%ff"):
            s.curl("GET", path)
        s.curl("POST", "/v1/agent/enroll", {"token": secret, "csr": "x", "boot_id": "b\nevent=forged", "agent_version": "v"}, token=None)
        s.curl("GET", "/v1/health", args=("-H", "X-Request-Id: a b\tc", "-H", "User-Agent: x\x1b[2J"))
        s.curl("GET", "/v1/authorities", token="wrong-" + secret)
        log, admin = s.logged(), s.token
    assert "http.request" in log, "the log tells of requests at this level"
    assert all(re.match(r"time=\S+ level=[a-z]+ process=\S+ event=\S+", line) for line in log.splitlines()), log
    assert not re.search(r"^[^ ]+ [^ ]+ [^ ]+ event=forged", log, re.M) and "\x1b" not in log
    for word in (secret, admin, "PRIVATE KEY", "troth-join-"):
        assert word not in log


# -- a stolen agent ---------------------------------------------------------------------------------------------------

def test_generations_that_cannot_be_counted_on(world, tmp_path):  # noqa: F811
    """One above the highest number there is would have been the next document's."""
    agent = FakeAgent(world, tmp_path, "huge").open()
    target = next(t["id"] for t in agent.desired()["targets"] if t["kind"] == "store")
    body = {"boot_id": agent.boot_id, "agent_version": "t", "epoch": "1",
            "targets": [{"id": target, "loaded_generation": 0, "high_water": HUGE, "fingerprints": []}]}
    assert_problem(agent.call("POST", "/v1/agent/session", body), 400, "$.targets[0].high_water")
    assert_problem(agent.report(target, generation=HUGE, high_water=HUGE, level="loaded", settled=True), 400, "$.generation")
    answer = agent.report(target, failed={"generation": HUGE, "reason": "x"})
    assert_problem(answer, 400, "$.failed.generation")


def test_an_agent_that_was_deleted_is_nobody(world, tmp_path):  # noqa: F811
    agent = FakeAgent(world, tmp_path, "leaver").open()
    assert world.curl("DELETE", f"/v1/instances/{agent.id}")[0] == 204
    assert_problem(agent.call("POST", "/v1/agent/session", {"boot_id": "b", "agent_version": "t", "targets": []}), 401, "enrol")
    assert_problem(agent.call("GET", "/v1/agent/desired?session=1"), 401)


def test_an_agent_speaks_of_its_own_targets_only(world, tmp_path):  # noqa: F811
    one, two = FakeAgent(world, tmp_path, "own-1").open(), FakeAgent(world, tmp_path, "own-2").open()
    theirs = next(t for t in two.desired()["targets"] if t["kind"] == "slot")
    before = events(world)
    request = {"session": one.session, "target": theirs["id"], "request": (theirs.get("csr") or {}).get("request", str(uuid.uuid4())),
               "csr": csr(tmp_path, "own-3")[1]}
    assert_problem(one.call("POST", "/v1/agent/csr", request), 403, "another instance")
    assert_problem(one.report(theirs["id"], level="loaded", settled=True), 403, "another instance")
    for method, path in (("DELETE", f"/v1/instances/{two.id}"), ("GET", f"/v1/instances/{two.id}"), ("GET", "/v1/audit"),
                         ("POST", "/v1/server/certificate"), ("GET", "/v1/explain")):
        assert_problem(one.call(method, path), 403)
    assert events(world) == before


def test_one_token_makes_one_instance_however_many_ask_at_once(world, tmp_path):  # noqa: F811
    token = world.curl("POST", "/v1/tokens", {"deployment": "bad"})[1]["token"]
    body = json.dumps({"token": token, "csr": csr(tmp_path, "race")[1], "boot_id": "b", "agent_version": "t"})
    runs = [subprocess.Popen(["curl", "-sS", "--cacert", str(world.dir / "ca.pem"), "-H", "Content-Type: application/json", "-d", body, "-o",
                              "/dev/null", "-w", "%{http_code}", world.url + "/v1/agent/enroll"], stdout=subprocess.PIPE, text=True)
            for _ in range(12)]
    assert sorted(p.communicate(timeout=60)[0] for p in runs) == ["201"] + ["401"] * 11


def test_a_dry_run_signs_nothing(world, tmp_path):  # noqa: F811
    """With one token anybody had as many identities signed as they liked, without a row or a word in the audit."""
    def signatures():
        return (world.dir / "keeper.log").read_text().count("act=leaf-sign result=granted")
    agent, request = FakeAgent(world, tmp_path, "dry").open(), csr(tmp_path, "dry-2")[1]
    token = world.curl("POST", "/v1/tokens", {"deployment": "bad"})[1]["token"]
    before = signatures()
    enrol = {"token": token, "csr": request, "boot_id": "b", "agent_version": "t"}
    assert_problem(world.curl("POST", "/v1/agent/enroll?dry_run=true", enrol, token=None), 400, "dry_run")
    assert_problem(agent.call("POST", "/v1/agent/identity?dry_run=true", {"csr": request}), 400, "dry_run")
    leaf = {"name": "/bad/dry", "authority": "/bad/ca", "sans": ["x.example"], "csr": request}
    status, reply, _ = world.curl("POST", "/v1/credentials?dry_run=true", leaf)
    assert status == 200 and "BEGIN CERTIFICATE" not in json.dumps(reply)
    assert signatures() == before
    assert world.curl("POST", "/v1/agent/enroll", enrol, token=None)[0] == 201  # the token was not used up


def test_a_poll_cannot_be_a_dry_run(world, tmp_path):  # noqa: F811
    agent = FakeAgent(world, tmp_path, "dry-poll").open()
    answer = agent.call("GET", f"/v1/agent/desired?session={agent.session}&after=0&dry_run=true")
    assert_problem(answer, 400, "?dry_run", "session after wait")
    target = next(t for t in world.curl("GET", "/v1/targets")[1]["items"] if t["instance"]["id"] == agent.id and t["kind"] == "store")
    assert not any(d["handed"] for d in target["documents"])  # what is refused hands nothing out


def test_an_idempotency_key_is_its_callers_own(world, tmp_path):  # noqa: F811
    key = ("-H", "Idempotency-Key: same")
    first = world.curl("POST", "/v1/authorities", {"name": "/keys/ca"}, args=key)
    again = world.curl("POST", "/v1/authorities", {"name": "/keys/ca"}, args=key)
    assert first[0] == again[0] == 201 and first[1] == again[1]
    assert_problem(world.curl("POST", "/v1/authorities", {"name": "/keys/other"}, args=key), 409, "Idempotency-Key")
    assert_problem(world.curl("POST", "/v1/authorities", {"name": "/keys/ca"}, args=key, token=None), 401)
    agent = FakeAgent(world, tmp_path, "keys")
    cert = ("--cert", str(agent.cert), "--key", str(agent.key))
    assert_problem(world.curl("POST", "/v1/authorities", {"name": "/keys/ca"}, args=key + cert, token=None), 403)
    token = world.curl("POST", "/v1/tokens", {"deployment": "bad"}, args=("-H", "Idempotency-Key: token"))
    answer = world.curl("POST", "/v1/tokens", {"deployment": "bad"}, args=("-H", "Idempotency-Key: token"))
    assert token[0] == 201 and answer[0] == 409 and "token" not in answer[1]


# -- a careless operator -------------------------------------------------------------------------------------------------

def modes(directory):
    return {p.relative_to(directory).as_posix(): stat.S_IMODE(p.lstat().st_mode) for p in directory.rglob("*")}


def enroll(server, build, directory, token_args, **kwargs):
    pin = subprocess.run(["openssl", "x509", "-in", str(server.dir / "ca.pem"), "-noout", "-fingerprint", "-sha256"],
                         capture_output=True, text=True, check=True).stdout.split("=")[1].strip()
    return subprocess.run([str(build / "troth"), "agent", "enroll", "--server", server.url, "--ca-fingerprint", pin, *token_args, "--dir",
                           str(directory)], capture_output=True, text=True, timeout=60, **kwargs)


def test_files_are_private_whatever_the_umask(build, tmp_path):
    old = os.umask(0)
    try:
        with Server(build) as s:
            s.cli.ok("authority", "create", "/u/ca")
            s.cli.ok("deployment", "create", "u")
            token = s.curl("POST", "/v1/tokens", {"deployment": "u"})[1]["token"]
            r = enroll(s, build, tmp_path / "agent", ["--token-file", "-"], input=token + "\n")
            assert r.returncode == 0, r.stderr
            assert stat.S_IMODE(s.dir.stat().st_mode) == 0o700 and stat.S_IMODE((tmp_path / "agent").stat().st_mode) == 0o700
            public = {"ca.pem", "server.pem", "server.url", "server.listen", "admin.json"}
            wide = {n: oct(m) for n, m in modes(s.dir).items() if m & (0o022 if n in public else 0o077)}
            wide |= {n: oct(m) for n, m in modes(tmp_path / "agent").items() if m & 0o077}
            assert not wide
    finally:
        os.umask(old)


def test_a_join_token_is_read_from_a_file_or_a_pipe(world, build, tmp_path):  # noqa: F811
    def token():
        return world.curl("POST", "/v1/tokens", {"deployment": "bad"})[1]["token"]
    file = tmp_path / "token"
    file.write_text(token() + "\n")
    r = enroll(world, build, tmp_path / "a", ["--token-file", str(file)])
    assert r.returncode == 0 and "enrolled as" in r.stdout, r.stderr
    r = enroll(world, build, tmp_path / "b", ["--token-file", "-"], input=token())
    assert r.returncode == 0 and "enrolled as" in r.stdout, r.stderr
    for args, said in ((["--token-file", str(tmp_path / "none")], "none"), (["--token-file", "-"], "no token"), ([], "--token-file"),
                       (["--token-file", "-", "--token", "x"], "--token-file"), (["--token-file", "/dev/zero"], "/dev/zero")):
        r = enroll(world, build, tmp_path / "c", args, input="")
        assert r.returncode != 0 and said in r.stderr, (args, r.stderr)


def test_no_secret_on_a_command_line_or_in_an_environment(world):  # noqa: F811
    for pid in (world.process.pid, world.keeper_pid()):
        for name in ("cmdline", "environ"):
            try:
                text = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except PermissionError:
                continue  # the keeper does not let itself be looked at
            assert world.token.encode() not in text and b"PRIVATE" not in text
