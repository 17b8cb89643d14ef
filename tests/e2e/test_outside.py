"""Who is outside the fleet, with a real nginx and an application that only has curl.

The application is a binding: it fetches the bundle with curl, loads it, and says so by asking again with the tag.  All the time
it shakes hands with nginx, trusting nothing but what it loaded."""

import subprocess
import time

import pytest

import node
from fleet import until

NAME = "web-1.example"


class Brought:
    """A root of the owner's own, and a leaf below an intermediate of it, made by openssl."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.make("root", "/CN=" + name, None, "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n")
        self.make("inter", "/CN=" + name + " issuing", "root",
                  "basicConstraints=critical,CA:TRUE,pathlen:0\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self.make("leaf", "/CN=web", "inter", f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n"
                  "keyUsage=digitalSignature\nauthorityKeyIdentifier=keyid\n")
        (self.folder / "chain.pem").write_text(self.read("root.pem") + self.read("inter.pem"))  # not the order it is served in

    def read(self, name):
        return (self.folder / name).read_text()

    def make(self, name, subject, issuer, extensions):
        at = self.folder
        (at / "ext").write_text(extensions)
        openssl = ["openssl"]
        subprocess.run([*openssl, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                        "-keyout", at / f"{name}.key", "-out", at / f"{name}.csr"], check=True, capture_output=True)
        signer = ["-cert", at / f"{issuer}.pem", "-keyfile", at / f"{issuer}.key"] if issuer else \
                 ["-selfsign", "-keyfile", at / f"{name}.key"]
        (at / "index").write_text("")
        (at / "cnf").write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={at}/index\nnew_certs_dir={at}\nrand_serial=yes\ndefault_md=sha256\n"
                                "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (-3600, 90 * 86400))
        subprocess.run([*openssl, "ca", "-batch", "-config", at / "cnf", "-in", at / f"{name}.csr", "-startdate", begin, "-enddate", end,
                        "-extfile", at / "ext", "-notext", *signer, "-out", at / f"{name}.pem"], check=True, capture_output=True)

    def serial(self):
        out = subprocess.run(["openssl", "x509", "-in", self.folder / "leaf.pem", "-noout", "-serial"], check=True,
                             capture_output=True, text=True).stdout
        return out.strip().split("=")[1]


class World:
    """A server, one nginx with its agent, one application."""

    def __init__(self, server, folder):
        self.server, self.cli, self.dir, self.pem, self.nginx, self.app = server, server.cli, folder, None, None, None

    def begin(self):
        node.authority(self.cli)
        node.deployment(self.cli, "web")
        self.nginx = node.Nginx(self.server, self.dir, "web", "web-1")
        self.binding = self.cli.json("binding", "create", "/prod/shop", "--bundle", node.BUNDLE, "--renew-by", "14d", "--grace", "2s")
        self.fetch_and_load()
        until("the application to count", lambda: self.show()["state"] == "counted")
        self.app = node.Traffic(self.nginx, lambda: self.pem)
        self.app.start()

    def curl(self):
        """One conditional fetch, as the documentation says; the status."""
        d = self.dir
        r = subprocess.run(["curl", "-sS", "--cacert", str(self.server.dir / "ca.pem"), "-H", f"Authorization: Bearer {self.server.token}",
                            "-o", str(d / "new.pem"), "-w", "%{http_code}", "--etag-save", str(d / "tag"), "--etag-compare", str(d / "tag"),
                            self.server.url + self.binding["url"]], capture_output=True, text=True, timeout=30)
        assert r.returncode == 0, r.stderr
        return int(r.stdout)

    def fetch_and_load(self):
        """Fetches, loads what came, and asks again with its tag: that is the acknowledgement."""
        while self.curl() == 200:
            self.pem = (self.dir / "new.pem").read_text()

    def show(self):
        return self.cli.json("binding", "show", "/prod/shop")

    def shake(self):
        self.app.shake()

    def app_until(self, what, condition):
        """The application goes on asking each moment, as it would by cron."""
        def turn():
            self.fetch_and_load()
            return condition()
        until(what, turn, 40)

    def stop(self):
        if self.app:
            self.app.ended = True
        if self.nginx:
            self.nginx.stop()


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server, tmp_path_factory.mktemp("outside"))
    try:
        w.begin()
        yield w
    finally:
        w.stop()


def waits(world, name, reason):
    return any(x["reason"] == reason for x in world.cli.json("explain", name)["items"])


def test_a_rotation_waits_for_a_binding(world):
    world.shake()
    old = world.app.serial
    world.cli.ok("rotate", "/prod/ca", "--no-wait")
    until("it to be named", lambda: waits(world, "/prod/shop", "not-fetched"))
    time.sleep(1)  # long enough for an engine that does not wait
    world.shake()
    assert world.app.serial == old
    assert world.curl() == 200  # fetched is not loaded
    until("that to be said", lambda: waits(world, "/prod/shop", "not-loaded"))
    world.shake()
    assert world.app.serial == old
    world.pem = (world.dir / "new.pem").read_text()
    assert world.curl() == 304  # the acknowledgement
    until("the new certificate", lambda: world.app.serial != old or world.app.bad)
    world.shake()
    assert world.pem.count("BEGIN") == 2
    until("the grace to be named", lambda: waits(world, "/prod/shop", "grace") or world.show()["offered"]["generation"] > 2)
    world.app_until("the end", lambda: world.cli.json("rotation", "list")["items"][0]["state"] == "done")
    assert world.pem.count("BEGIN") == 1
    world.shake()
    print(f"{world.app.good} handshakes, 0 failed")


def upload(world, brought, *more):
    at = brought.folder
    return world.cli.run("credential", "upload", "/prod/web/web-1", "--certificate-file", str(at / "leaf.pem"), "--key-file",
                         str(at / "leaf.key"), "--chain-file", str(at / "chain.pem"), *more)


def it_is_configurable(world):
    """So Ops Manager's API calls what its owner replaces: listed as such, and left out when leaves are regenerated."""
    token = world.cli.json("principal", "add", "uploaded-ops", "--role", "operator", "--facade", "opsmanager")["token"]

    def ask(method, path):
        status, reply, _ = world.server.curl(method, "/api/v0" + path, token=token, held=False)
        assert status == 200, reply
        return reply
    listed = {c["variable_path"]: c["configurable"] for c in ask("GET", "/deployed/certificates")["certificates"]}
    assert listed["/prod/web/web-1"] is True and listed[node.AUTHORITY] is False
    excluded = ask("GET", "/deployed/certificates?show_excluded_from_rotation_only=true")["certificates"]
    assert {c["variable_path"] for c in excluded} == {"/prod/web/web-1"}
    new = ask("POST", "/certificate_authorities/generate")["guid"]
    ask("POST", f"/certificate_authorities/{new}/activate")
    regenerated = ask("POST", "/certificate_authorities/active/regenerate")["certificates"]
    assert regenerated["regenerated"] == [] and [(c["variable_path"], c["reason"]) for c in regenerated["excluded"]] == [
        ("/prod/web/web-1", "it was brought by its owner, who replaces it")]


def test_an_uploaded_certificate_is_served_and_its_ca_rotated(world):
    first, second = Brought(world.dir, "first"), Brought(world.dir, "second")
    r = world.cli.run("credential", "upload", "/prod/web/web-1", "--certificate-file", str(first.folder / "leaf.pem"), "--key-file",
                      str(second.folder / "leaf.key"), "--chain-file", str(first.folder / "inter.pem"))
    assert r.returncode != 0 and "is not the key of" in r.stderr, r.stderr
    for brought in (first, second):
        assert upload(world, brought, "--trust-issuer", "/prod/trust").returncode == 0
        time.sleep(1)  # long enough for a server that does not wait
        world.shake()
        assert brought.serial() not in world.app.serials  # not before the application trusts its root
        world.app_until("the uploaded one", lambda: brought.serial() in world.app.serials or world.app.bad)
        world.shake()  # a worker that nginx is about to end may answer one more: that is no fault
    members = world.cli.json("bundle", "show", "/prod/trust")["members"]
    alias = next(m["alias"] for m in members if "first" in m.get("subject", ""))
    world.cli.ok("bundle", "remove", "/prod/trust", alias)
    world.app_until("the old root to go", lambda: world.pem.count("BEGIN") == 2)
    world.shake()
    r = world.cli.run("rotate", "/prod/web/web-1")
    assert r.returncode != 0 and "troth credential upload /prod/web/web-1" in r.stderr
    for path in (world.server.dir).glob("*.log"):
        assert "PRIVATE KEY" not in path.read_text(errors="replace")
    it_is_configurable(world)
    print(f"{world.app.good} handshakes, 0 failed")
