"""A certificate for the server that somebody else issued: people and scripts are shown it, and no agent is lost by it."""

import base64
import os
import signal
import subprocess
import threading

import pytest

import node
from fleet import Server, until
from test_backup import keys, ok, troth  # noqa: F401: keys is a fixture

NAME = "troth.example"


class Corporate:
    """A root of the company's own and what it signs for the server: the very name and address by which agents call it too."""

    def __init__(self, folder, name="Corporate"):
        folder.mkdir()
        self.key, self.certificate, self.root = folder / "tls.key", folder / "tls.pem", folder / "root.pem"
        run = lambda *args: subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("req", "-x509", *ec, "-days", "90", "-subj", f"/CN={name}", "-keyout", folder / "root.key", "-out", self.root,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-keyout", self.key, "-out", folder / "csr")
        (folder / "ext").write_text(f"subjectAltName=DNS:{NAME},IP:127.0.0.1\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
        run("x509", "-req", "-in", folder / "csr", "-CA", self.root, "-CAkey", folder / "root.key", "-days", "50", "-extfile", folder / "ext",
            "-out", self.certificate)

    def args(self):
        return "--certificate-file", str(self.certificate), "--key-file", str(self.key), "--chain-file", str(self.root)

    def key_texts(self):
        """What no answer, no log and no file of the server may hold."""
        pem = self.key.read_text()
        return [line.encode() for line in pem.splitlines()[1:-1]] + [base64.b64decode("".join(pem.splitlines()[1:-1]))]


def curl(server, ca, host=NAME):
    """Does curl believe the server under this name, by these CAs alone?"""
    r = subprocess.run(["curl", "-sS", "--cacert", str(ca), "--resolve", f"{NAME}:{server.port}:127.0.0.1",
                        f"https://{host}:{server.port}/v1/health"], capture_output=True, text=True, timeout=20)
    return r.returncode == 0 and '"ok"' in r.stdout


def issuer_shown(server, name):
    sni = ["-servername", name] if name else ["-noservername"]
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *sni], input="", capture_output=True, text=True,
                       timeout=20)
    return next(line for line in r.stdout.splitlines() if line.startswith("issuer="))


class Calls(threading.Thread):
    """Calls on connections of their own without a pause, as an agent makes them (its own CA only) and as a script does (ca.pem)."""

    def __init__(self, server, own):
        super().__init__(daemon=True)
        self.server, self.own, self.wrong, self.made, self.ended = server, own, [], 0, False

    def run(self):
        as_agent = [str(self.server.build / "troth"), "--server", f"https://127.0.0.1:{self.server.port}", "--ca-file", str(self.own),
                    "--token-file", str(self.server.dir / "admin.token"), "health"]
        while not self.ended:
            r = subprocess.run(as_agent, capture_output=True, text=True, timeout=20)
            if r.returncode:
                self.wrong.append(r.stderr)
            file = self.server.dir / "ca.pem"
            read = file.read_bytes()
            if not curl(self.server, file) and (read == file.read_bytes() or not curl(self.server, file)):
                self.wrong.append("curl")  # not of one that had read the file before the change
            self.made += 1


@pytest.fixture(scope="module")
def world(build, tmp_path_factory):
    with Server(build, args=("--public-name", NAME)) as server:
        folder = tmp_path_factory.mktemp("certificate")
        node.authority(server.cli)
        node.deployment(server.cli, "web")
        until("its own certificate with the name", lambda: curl(server, server.dir / "ca.pem"))
        server.own = folder / "own.pem"
        server.own.write_text((server.dir / "ca.pem").read_text())  # as an administrator copied it once
        server.corporate = Corporate(folder / "corporate")
        first = node.Nginx(server, folder, "web", "web-1")
        try:
            yield server, first, folder
        finally:
            first.stop()


def seen(server, name):
    return next(i["last_seen"] for i in server.cli.json("instance", "list")["items"] if i["name"] == name)


@pytest.mark.release_only
def test_agents_go_on_while_people_are_shown_another(world):
    server, first, folder = world
    corporate, cli = server.corporate, server.cli
    assert curl(server, server.own) and not curl(server, corporate.root)
    told = cli.json("server-certificate", "set", *corporate.args())
    assert told["brought"]["names"] == [f"dns:{NAME}", "ip:127.0.0.1"] and told["brought"]["anchor"] == "CN=Corporate"
    # from the answer on: by name, by address; the file that the server keeps verifies it too
    assert curl(server, corporate.root) and curl(server, corporate.root, "127.0.0.1")
    assert curl(server, server.dir / "ca.pem") and curl(server, server.dir / "ca.pem", "localhost")
    assert not curl(server, server.own)
    assert "CN = Corporate" in issuer_shown(server, NAME) and "CN = Corporate" in issuer_shown(server, None)
    assert "troth server CA" in issuer_shown(server, "localhost")
    assert server.curl("GET", "/v1/server/certificate")[1]["brought"]["anchor"] == "CN=Corporate"
    # a machine whose OpenSSL is told to speak no more than TLS 1.2 to the world
    (folder / "openssl.cnf").write_text("openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nMaxProtocol=TLSv1.2\n")
    r = subprocess.run([str(server.build / "troth"), "--server", server.url, "--ca-file", str(server.own), "--token-file",
                        str(server.dir / "admin.token"), "health"], capture_output=True, text=True, timeout=20,
                       env={**os.environ, "OPENSSL_CONF": str(folder / "openssl.cnf")})
    assert r.returncode == 0, r.stderr
    # an agent that comes anew, one that comes for the first time, and a CLI that has the old copy only
    first.processes[0].kill()
    first.processes[0].wait()
    last = seen(server, "web-1")
    first.start_agent("1s")
    until("the agent to be back", lambda: seen(server, "web-1") != last)
    second = node.Nginx(server, folder, "web", "web-2")
    try:
        cli.ok("rotate", node.AUTHORITY, "--wait", "--timeout", "60s")
        cli.ok("rotate", "/troth/server", "--wait", "--timeout", "60s")
        assert curl(server, corporate.root) and curl(server, server.dir / "ca.pem") and curl(server, server.dir / "ca.pem", "localhost")
    finally:
        second.stop()


@pytest.mark.release_only
def test_set_and_unset_under_load_fail_nobody(world, tmp_path):
    server, _, _ = world
    other = Corporate(tmp_path / "other", "Other")
    own = tmp_path / "own.pem"
    own.write_text((server.dir / "ca.pem").read_text().replace(server.corporate.root.read_text(), ""))
    calls = [Calls(server, own)]
    for c in calls:
        c.start()
    try:
        for _ in range(2):
            server.cli.ok("server-certificate", "set", *server.corporate.args())
            server.cli.ok("server-certificate", "set", *other.args())
            assert curl(server, other.root) and not curl(server, server.corporate.root)
            server.cli.ok("server-certificate", "unset")
            assert not curl(server, other.root) and curl(server, own)
    finally:
        for c in calls:
            c.ended = True
            c.join()
    assert not [w for c in calls for w in c.wrong] and sum(c.made for c in calls) > 5


@pytest.mark.release_only
def test_it_outlives_a_kill_and_a_restore(world, keys, build, tmp_path):  # noqa: F811
    server, first, _ = world
    server.cli.ok("server-certificate", "set", *server.corporate.args())
    server.stop(signal.SIGKILL)
    (server.dir / "ca.pem").write_text(server.own.read_text())  # as if power had failed before the file was written
    server.start()
    assert curl(server, server.corporate.root) and curl(server, server.dir / "ca.pem")
    file, again = tmp_path / "b.cms", tmp_path / "again"
    ok(troth(build, "backup", file, "--dir", server.dir, "--recipient", keys["one"][0]))
    server.cli.ok("server-certificate", "unset")
    server.stop()
    ok(troth(build, "restore", file, "--dir", again, "--key", keys["one"][1]))
    admin = (server.dir / "admin.json").read_text()
    os.rename(server.dir, server.base / "lost")
    os.rename(again, server.dir)
    (server.dir / "admin.json").write_text(admin)
    server.start()
    assert curl(server, server.corporate.root)
    last = seen(server, "web-1")
    until("the agent to be back", lambda: seen(server, "web-1") != last)


@pytest.mark.release_only
def test_its_key_is_told_to_nobody(world):
    server, _, _ = world
    server.cli.ok("server-certificate", "set", *server.corporate.args())
    told = [server.cli.ok(*words, "-o", "json").encode() for words in (
        ("server-certificate", "show"), ("audit", "list"), ("events",), ("credential", "show", "/troth/brought-tls"))]
    told += [p.read_bytes() for p in server.dir.iterdir() if p.is_file()] + [server.logged().encode()]
    for text in server.corporate.key_texts():
        assert not any(text in t for t in told)


@pytest.mark.release_only
def test_what_cannot_be_used_is_refused(world, tmp_path):
    server, _, _ = world
    good, other = server.corporate, Corporate(tmp_path / "other", "Other")
    before = server.cli.json("server-certificate", "show")
    for args, words in (
            (("--certificate-file", good.certificate, "--key-file", other.key, "--chain-file", good.root), "is not the key of"),
            (("--certificate-file", other.certificate, "--key-file", other.key), "no CA that is known here anchors it"),
            (("--certificate-file", other.certificate, "--key-file", other.key, "--chain-file", good.root), "has no part in the chain")):
        r = server.cli.run("server-certificate", "set", *map(str, args))
        assert r.returncode == 1 and words in r.stderr, (r.returncode, r.stderr)
    assert server.cli.json("server-certificate", "show") == before
    assert server.cli.run("server-certificate", "set", *other.args(), "--dry-run").returncode == 0
    assert server.cli.json("server-certificate", "show") == before
