"""A CA whose certificate openssl signs, as a corporate root would: its first certificate, its rotation, a new root above it.

An nginx serves under it and the demo's client verifies it, never stopping; its handshakes are the witness."""

import json
import pathlib
import signal
import subprocess
import time

import pytest

from fleet import TOP, free_port, until

NAME = "/corp/issuing"
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"


class Outside:
    """The corporate root: openssl in a folder, and no word of troth."""

    def __init__(self, folder, name):
        self.at = folder / name.replace(" ", "-")
        self.at.mkdir()
        (self.at / "index").write_text("")
        (self.at / "cnf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.at}/index\nnew_certs_dir={self.at}\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-subj", f"/CN={name}",
                        "-keyout", self.at / "root.key", "-out", self.at / "root.csr"], check=True, capture_output=True)
        self.sign(self.at / "root.csr", self.at / "root.pem", CA, "-selfsign", days=3650)

    def sign(self, csr, out, extensions, *how, days=730):
        """An hour ago, so that a verifier whose clock is behind takes it already."""
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (-3600, days * 86400))
        (self.at / "ext").write_text(extensions)
        how = how or ("-cert", self.at / "root.pem")
        subprocess.run(["openssl", "ca", "-batch", "-config", self.at / "cnf", "-in", csr, "-startdate", begin, "-enddate", end, "-extfile",
                        self.at / "ext", "-notext", "-keyfile", self.at / "root.key", *how, "-out", out], check=True, capture_output=True)
        return str(out)

    @property
    def root(self):
        return str(self.at / "root.pem")


class World:
    def __init__(self, server, folder):
        self.server, self.cli, self.dir = server, server.cli, folder
        self.port, self.processes = free_port(), []
        self.outside = Outside(folder, "Corporate Root")

    def csr(self, name=NAME):
        out = self.dir / "request.pem"
        out.write_text(self.cli.ok("authority", "csr", name))
        return out

    def certify(self, outside, *more):
        """The request, signed outside as it asks for it; what the CLI said of it."""
        pem = outside.sign(self.csr(), self.dir / "issuing.pem", "authorityKeyIdentifier=keyid\n")
        return self.cli.json("authority", "certify", NAME, "--certificate-file", pem, *more)

    def start(self, *args):
        self.processes.append(subprocess.Popen([str(a) for a in args], stdout=open(self.dir / "log", "a"), stderr=subprocess.STDOUT))

    def agent(self, deployment, instance, settings):
        d, troth = self.dir / instance, self.server.build / "troth"
        d.mkdir(exist_ok=True)
        out = self.cli.ok("token", "create", "--deployment", deployment, "--instance", instance)
        token = next(word for word in out.split() if word.startswith("troth-join-"))
        fingerprint = out.split("--ca-fingerprint ")[1].split()[0]
        subprocess.run([str(troth), "agent", "enroll", "--server", self.server.url, "--ca-fingerprint", fingerprint, "--token-file", "-",
                        "--dir", str(d / "agent")], input=token, text=True, check=True, capture_output=True, timeout=30)
        (d / "settings.yaml").write_text(f"targets: {{{settings}}}\n")
        self.start(troth, "agent", "run", "--dir", d / "agent", "--profiles", TOP / "profiles", "--settings", d / "settings.yaml")

    def start_fleet(self):
        d = self.dir
        self.cli.ok("bundle", "create", "/corp/trust", "--authority", NAME)
        self.cli.ok("deployment", "create", "web", "--slot",
                    f"name=tls,profile=nginx,authority={NAME},credential=/corp/{{instance}}/server,san=localhost")
        self.cli.ok("deployment", "create", "apps", "--store", "name=trust,profile=pem-files,bundle=/corp/trust")
        self.agent("web", "web", f"tls: {{root: {d}/web, directory: {d}/web/tls, pid_file: {d}/web/nginx.pid, port: {self.port}, "
                                 "name: localhost, drain: 1s}")
        until("a certificate", lambda: (d / "web/tls/current/cert.pem").exists())
        temp = " ".join(f"{kind}_temp_path {d}/web/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (d / "nginx.conf").write_text(
            f"daemon off; pid {d}/web/nginx.pid; error_log {d}/nginx.log; events {{}}\nhttp {{ access_log off; {temp}\n"
            f"server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {d}/web/tls/current/cert.pem;\n"
            f"ssl_certificate_key {d}/web/tls/current/key.pem; return 200 hello; }} }}\n")
        self.start("nginx", "-e", d / "nginx.log", "-c", d / "nginx.conf")
        (d / "app").mkdir()
        self.start(self.server.build / "demo/troth-demo-client", "--trust", d / "app/trust/current/ca.pem", "--pid", d / "app/pid", "--attest",
                   d / "app/loaded", "--stats", d / "app/stats", "--failures", d / "app/failures", "--start", d / "go", "--rate", "80",
                   f"web=127.0.0.1:{self.port}")
        until("the client", lambda: (d / "app/pid").exists())
        self.agent("apps", "app", f"trust: {{root: {d}/app, directory: {d}/app/trust, pid_file: {d}/app/pid, attest_file: {d}/app/loaded, "
                                  "drain: 1s}")
        until("every target to count", lambda: [t["state"] for t in self.cli.json("target", "list")["items"]] == ["counted"] * 2)
        (d / "go").write_text("")

    def assert_no_failure(self):
        def stats():
            at = self.dir / "app/stats"
            return [int(n) for n in at.read_text().split()] if at.exists() else [0, 0]
        before = stats()[0]
        until("fresh handshakes", lambda: stats()[0] > before + 30)
        failures = self.dir / "app/failures"
        assert stats()[1] == 0, failures.read_text() if failures.exists() else stats()
        return stats()[0]

    def verifies(self, root):
        """What plain openssl says that trusts this root alone; the number of certificates served."""
        r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "localhost", "-showcerts",
                            "-verify_hostname", "localhost", "-CAfile", root], input="", capture_output=True, text=True, timeout=30)
        return r.stdout.count("BEGIN CERTIFICATE") if "Verification: OK" in r.stdout else 0

    def trusted(self):
        return (self.dir / "app/trust/current/ca.pem").read_text().count("BEGIN CERTIFICATE")

    def stop(self):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGTERM)
            p.wait(20)


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server, pathlib.Path(tmp_path_factory.mktemp("elsewhere")))
    try:
        yield w
    finally:
        w.stop()


def fingerprint(pem):
    out = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True, text=True).stdout
    return out.split("=")[1].strip().replace(":", "").lower()


def rotation(world, name=NAME):
    return world.cli.json("rotation", "show", name)


def test_the_first_certificate(world):
    out = world.cli.run("authority", "create", NAME, "--external", "--path-len", "0")
    assert out.returncode == 0 and f"troth authority csr {NAME} > request.pem" in out.stderr
    csr = world.csr()
    text = subprocess.run(["openssl", "req", "-in", csr, "-noout", "-text", "-verify"], check=True, capture_output=True, text=True).stdout
    assert "CA:TRUE, pathlen:0" in text and "Certificate Sign, CRL Sign" in text and f"CN = {NAME}" in text.replace("CN=", "CN = ")
    # signed as openssl does by default: no extension was taken over
    bare = world.dir / "bare.pem"
    subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", world.outside.root, "-CAkey", world.outside.at / "root.key", "-days", "730",
                    "-out", bare], check=True, capture_output=True)
    r = world.cli.run("authority", "certify", NAME, "--certificate-file", str(bare), "--root-file", world.outside.root)
    assert r.returncode == 1, r.returncode
    assert "CA:TRUE" in r.stderr and "copy_extensions" in r.stderr, r.stderr
    dry = world.certify(world.outside, "--root-file", world.outside.root, "--dry-run")
    assert dry["root_made"] and not dry["versions"]
    made = world.certify(world.outside, "--root-file", world.outside.root)
    assert made["root"] == NAME + "/root" and made["root_fingerprint"] == fingerprint(world.outside.root) and made["versions"][0]["signing"]
    world.start_fleet()
    assert world.verifies(world.outside.root) == 2, "leaf and intermediate are served, the root is not"
    assert world.trusted() == 1
    world.assert_no_failure()


def test_a_rotation_waits_for_its_certificate(world):
    old = fingerprint(world.dir / "issuing.pem")
    store = (world.dir / "app/trust/current").resolve()
    world.cli.ok("rotate", NAME, "--no-wait")
    said = world.cli.ok("explain", NAME)
    assert "waits for the certificate of version 2" in " ".join(said.split()) and f"troth authority csr {NAME}" in " ".join(said.split()), said
    assert f"waits for the certificate of version 2" in json.dumps(rotation(world))
    assert rotation(world)["state"] == "running"
    world.certify(world.outside)
    until("the rotation to end", lambda: rotation(world)["state"] == "done")
    new = fingerprint(world.dir / "issuing.pem")
    versions = {v["fingerprint"]: v for v in world.cli.json("authority", "show", NAME)["versions"]}
    assert versions[new]["signing"] and versions[old]["retired"]
    assert (world.dir / "app/trust/current").resolve() == store, "the root is the same: no store was sent anything"
    assert world.verifies(world.outside.root) == 2
    world.assert_no_failure()


def test_then_a_new_root_above_it(world):
    second = Outside(world.dir, "Next Root")
    r = world.cli.run("authority", "import", NAME + "/root", "--certificate-file", world.outside.root)
    assert r.returncode == 1 and "already" in r.stderr, r.stderr
    done = world.cli.json("authority", "import", NAME + "/root", "--certificate-file", second.root)
    assert done["asked"] == [NAME]
    until("both to be trusted", lambda: world.trusted() == 2)
    world.assert_no_failure()
    assert not world.verifies(second.root), "nothing is served under it yet"
    world.certify(second)
    until("the old root to go", lambda: world.trusted() == 1 and rotation(world, NAME + "/root")["state"] == "done")
    assert world.verifies(second.root) == 2 and not world.verifies(world.outside.root)
    assert "nothing is waited for" in world.cli.ok("explain")
    print(f"{world.assert_no_failure()} handshakes, 0 failed")
