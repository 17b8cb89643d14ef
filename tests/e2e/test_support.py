"""A support bundle: what a helper needs, of a server that runs and of one that does not, and nothing that is secret.

The secrets are planted and known: the files of the data directory, what the CLI shows once, and every value of the store that is not on the list of
public columns. Each byte of the bundle is looked at, also behind hexadecimal and base64."""

import base64
import json
import re
import signal
import sqlite3
import subprocess
import tarfile

import pytest

from fleet import Server

OPENSSL = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=Brought -keyout root.key -out root.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web -keyout web.key -out web.csr
printf 'subjectAltName=DNS:node-1.example\\nextendedKeyUsage=serverAuth\\nbasicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' >ext
openssl x509 -req -in web.csr -CA root.pem -CAkey root.key -days 60 -extfile ext -out web.pem
"""
# Binary columns that are no secret: certificates, their hashes, the audit's chain. What is not here is looked for.
PUBLIC = {"cert.fingerprint", "cert.der", "cert.subject_key", "cert.spki_hash", "ca_request.csr", "content.hash", "instance.identity_fingerprint",
          "instance.identity_previous", "instance.identity_der", "recovery.key", "principal.cert_fingerprint", "audit.hash", "audit_head.hash",
          "audit_head.signature", "audit_head.spki", "idempotency.body_hash", "idempotency.body"}
PARTS = {"README", "settings.json", "store.json", "listener.txt", "files.txt", "system.txt", "process.txt", "keeper.log"} | {
    f"api/{name}" for name in ("version.json", "health.json", "explain.json", "freeze.json", "rotations.jsonl", "authorities.jsonl", "credentials.jsonl",
                               "bundles.jsonl", "deployments.jsonl", "instances.jsonl", "targets.jsonl", "operations.jsonl")}
WINDOW = 16

pytestmark = pytest.mark.release_only  # the same code runs under the sanitizers in tests/unit/app/test_support*.c


def troth(build, *args):
    return subprocess.run([str(build / "troth"), *map(str, args)], capture_output=True, text=True, timeout=60)


def windows(data):
    return {data[i:i + WINDOW] for i in range(len(data) - WINDOW + 1)}


class Secrets:
    """What must not be in the bundle: every WINDOW bytes in a row of every secret, by name."""

    def __init__(self):
        self.of = {}

    def add(self, name, data):
        data = data.encode() if isinstance(data, str) else data
        if len(data) > 96:  # a wrapped or sealed key: what is in the clear before the ciphertext (names, hashes of public keys) is no secret
            data = data[-64:]
        for w in windows(data):
            self.of.setdefault(w, name)

    def add_pem_key(self, name, pem):
        self.add(name, re.sub(r"-----.*-----|\s", "", pem)[-64:])
        scalar = subprocess.run(["openssl", "ec", "-noout", "-text"], input=pem, capture_output=True, text=True, check=True).stdout
        self.add(name, bytes.fromhex(re.search(r"priv:([0-9a-f:\s]+)pub:", scalar)[1].replace(":", "").replace("\n", "").replace(" ", "").zfill(64)))

    def found_in(self, data):
        """Names of those that are in it: as they are, as hexadecimal, as base64 (also of URLs)."""
        found = {self.of[w] for w in windows(data) & self.of.keys()}
        for run in re.findall(rb"[0-9A-Fa-f]{32,}", data):
            for at in (0, 1):
                text = run[at:len(run) - (len(run) - at) % 2]
                found |= {self.of[w] for w in windows(bytes.fromhex(text.decode())) & self.of.keys()}
        for run in re.findall(rb"[0-9A-Za-z+/_-]{22,}", data):
            run = run.replace(b"-", b"+").replace(b"_", b"/")
            for at in range(4):
                text = run[at:len(run) - (len(run) - at) % 4]
                found |= {self.of[w] for w in windows(base64.b64decode(text)) & self.of.keys()}
        return found


def columns(db):
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info('{table}')").fetchall():
            text_secret = kind == "TEXT" and re.search("password|secret|hash|token", column)
            if (kind == "BLOB" and f"{table}.{column}" not in PUBLIC) or text_secret:
                yield table, column


def plant(server):
    """Keys, tokens and hashes of every kind, and what is to be looked for."""
    secrets, cli = Secrets(), server.cli
    cli.ok("authority", "create", "/x/ca")
    cli.ok("bundle", "create", "/x/trust", "--authority", "/x/ca")
    cli.ok("deployment", "create", "web", "--slot",
           "name=tls,profile=pem-files,authority=/x/ca,credential=/x/{instance},san={instance}.example,key_source=keeper")
    for name, args in (("a bearer token", ("principal", "add", "helper", "--role", "auditor")),
                       ("a join token", ("token", "create", "--deployment", "web", "--instance", "node-1"))):
        out = cli.ok(*args)
        token = re.search(r"troth-[a-z]+-[A-Za-z0-9_-]+", out)[0]
        secrets.add(name, token)
        if name == "a join token":
            pin = out.split("--ca-fingerprint ")[1].split()[0]
            subprocess.run([str(server.build / "troth"), "agent", "enroll", "--server", server.url, "--ca-fingerprint", pin, "--token-file", "-",
                            "--dir", str(server.base / "agent")], input=token, text=True, check=True, capture_output=True, timeout=30)
    secrets.add("a password", re.search(r"^password +(\S{16,})$", cli.ok("principal", "add", "ada", "--role", "operator", "--password"), re.M)[1])
    shown = re.search(r"whsec_(\S+)", cli.ok("webhook", "add", "ops", "--url", "http://127.0.0.1:9/x"))[1]
    secrets.add("a webhook's secret", shown)
    secrets.add("a webhook's secret", base64.b64decode(shown))
    subprocess.run(["bash", "-ec", OPENSSL], cwd=server.base, check=True, capture_output=True)
    at = server.base
    cli.ok("credential", "upload", "/x/node-1", "--certificate-file", str(at / "web.pem"), "--key-file", str(at / "web.key"), "--chain-file",
           str(at / "root.pem"), "--trust-issuer", "/x/trust")
    cli.ok("token", "create", "--deployment", "web", "--instance", "node-2")
    secrets.add_pem_key("web.key", (at / "web.key").read_text())
    secrets.add_pem_key("server.key", (server.dir / "server.key").read_text())
    secrets.add("master.key", (server.dir / "master.key").read_bytes())
    secrets.add("admin.token", server.token)
    db, seen = sqlite3.connect(f"file:{server.dir}/troth.db?mode=ro", uri=True), set()
    for table, column in columns(db):
        for (value,) in db.execute(f"SELECT \"{column}\" FROM \"{table}\" WHERE \"{column}\" IS NOT NULL").fetchall():
            if len(value) >= WINDOW:
                secrets.add(f"{table}.{column}", value)
                seen.add(f"{table}.{column}")
    db.close()
    assert {"version.key_blob", "version.sealed_key", "sealed.sealed", "token.hash", "principal.token_hash", "principal.password",
            "webhook.key_blob", "meta.value"} <= seen, seen
    return secrets


@pytest.fixture(scope="module")
def world(build):
    with Server(build) as server:
        yield server, plant(server)


def members(path):
    with tarfile.open(path) as tar:
        return {m.name.removeprefix("troth-support/"): tar.extractfile(m).read() for m in tar.getmembers()}


def rows(data):
    return [item for page in data.splitlines() for item in json.loads(page)["items"]]


def test_the_scan_finds_what_it_looks_for(world):
    """Otherwise the test below would prove nothing."""
    server, secrets = world
    key, token = (server.dir / "master.key").read_bytes(), server.token.encode()
    for form in (key, key.hex().encode(), key.hex().upper().encode(), b"0" + key.hex().encode(), base64.b64encode(key), base64.b64encode(b"x" + key),
                 base64.urlsafe_b64encode(b"xy" + key), key[7:7 + WINDOW]):
        assert secrets.found_in(b"some text: " + form + b" more") == {"master.key"}, form
    assert secrets.found_in(token) == {"admin.token"} and secrets.found_in(base64.b64encode(token)) == {"admin.token"}
    assert "web.key" in secrets.found_in((server.base / "web.key").read_bytes())
    assert not secrets.found_in((server.dir / "ca.pem").read_bytes())


def test_a_bundle_of_a_server_that_runs_and_of_one_that_does_not(build, world, tmp_path):
    server, secrets = world
    (server.dir / "troth.yaml").write_text("log_level: warn\n")
    for runs in (True, False):
        if not runs:
            server.stop(signal.SIGKILL)  # what it wrote last is still in the WAL
        file = tmp_path / f"{runs}.tar"
        r = troth(build, "support-bundle", file, "--dir", server.dir)
        assert r.returncode == 0 and f"server    {'runs' if runs else 'does not run'}" in r.stdout, r.stdout + r.stderr
        assert "missing" not in r.stdout and max(map(len, r.stdout.splitlines())) <= 80 + len(str(tmp_path))
        assert file.stat().st_mode & 0o777 == 0o600 and [p.name for p in tmp_path.glob(f"{runs}*")] == [file.name]
        files = members(file)
        assert set(files) == PARTS
        assert secrets.found_in(file.read_bytes()) == set()
        assert b"PRIVATE KEY" not in file.read_bytes()

        settings = json.loads(files["settings.json"])
        level = next(s for s in settings["settings"] if s["name"] == "log_level")
        assert (level["value"], level["source"]) == (("info", "default") if runs else ("warn", "file"))
        assert settings.get("pid") == (server.process.pid if runs else None)
        store = json.loads(files["store.json"])
        assert store["epoch"] == 1 and store["schema"] == json.loads(files["api/version.json"])["schema"] and store["rows"]["principal"] == 3
        assert {"/x/ca", "/troth/server"} <= {a["name"] for a in rows(files["api/authorities.jsonl"])}
        assert all(a["versions"] for a in rows(files["api/authorities.jsonl"]))
        assert [t["name"] for t in rows(files["api/targets.jsonl"])] == ["tls"]
        assert "node-1" in {i["name"] for i in rows(files["api/instances.jsonl"])}
        assert json.loads(files["api/explain.json"])["running"] == 0 and rows(files["api/rotations.jsonl"]) == []
        assert ("answers, TLSv1.3, handshake complete" if runs else "no server runs") in files["listener.txt"].decode()
        log = files["keeper.log"].decode()
        assert "act=leaf-sign result=granted" in log and (server.dir / "keeper.log").read_text().startswith(log)
        assert " troth.db\n" in files["files.txt"].decode() and "distribution " in files["system.txt"].decode()
        assert "Max open files" in files["process.txt"].decode()


def test_what_it_does_not_do(build, world, tmp_path):
    """Runs after the one above: no server is there."""
    server, _ = world
    file = tmp_path / "x.tar"
    file.write_text("mine")
    r = troth(build, "support-bundle", file, "--dir", server.dir)
    assert r.returncode == 1 and "exists already" in r.stderr and "hint:" in r.stderr and file.read_text() == "mine"
    r = troth(build, "support-bundle", tmp_path / "y.tar", "--dir", tmp_path)
    assert r.returncode == 4 and "is no data directory" in r.stderr
    r = troth(build, "support-bundle", tmp_path / "none/y.tar", "--dir", server.dir)
    assert r.returncode != 0 and "none/y.tar" in r.stderr
    for args in ((), (tmp_path / "y.tar",), ("a", "b", "--dir", "d"), ("a", "--dir", "d", "--log-lines", "-1"), ("a", "--dir", "d", "--log-lines", "many")):
        assert troth(build, "support-bundle", *args).returncode == 2, args
    assert [p.name for p in tmp_path.iterdir()] == ["x.tar"]
    lines = (server.dir / "keeper.log").read_text().splitlines(keepends=True)
    assert troth(build, "support-bundle", tmp_path / "z.tar", "--dir", server.dir, "--log-lines", "3").returncode == 0
    assert members(tmp_path / "z.tar")["keeper.log"].decode() == "".join(lines[-3:])


def test_a_damaged_store_is_no_hindrance(build, world, tmp_path):
    """It is told of in the bundle, with everything that can still be had."""
    server, _ = world
    store = server.dir / "troth.db"
    store.write_bytes(b"not a database at all" * 400)
    (server.dir / "troth.db-wal").unlink(missing_ok=True)
    r = troth(build, "support-bundle", tmp_path / "d.tar", "--dir", server.dir)
    assert r.returncode == 0 and "missing   13 parts" in r.stdout, r.stdout + r.stderr
    files = members(tmp_path / "d.tar")
    assert "keeper.log" in files and "system.txt" in files and b"not a database" in files["store.json.failed"]
