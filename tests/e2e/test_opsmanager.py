"""Ops Manager's API against a real fleet: the requests that om and scripts send, and the replies as its documents have them.

An nginx with its agent, an agent with a trust store, and handshakes without a pause between them: its documented rotation, step by
step; the incident of a health check in the middle of one; everything that is wrong in a request."""

import concurrent.futures
import datetime
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import expected
import node
from fleet import until
from test_memory import scan
from test_members import PROFILE
from test_server_certificate import NAME, Corporate, issuer_shown

CHECKS = int(os.environ.get("TROTH_HEALTH_CHECKS", "4"))  # 200 make the whole incident; a few are enough to fail without its cure
EVERY_S, LIVES_S = (1, 0.5) if "TROTH_HEALTH_CHECKS" in os.environ else (0, 0)
HEALTH = "bosh-health"
NEVER = "0 0 29 2 * 1m UTC"  # until then nothing of this deployment is changed
SERVED = PROFILE.replace("check-trust", "check-node").replace("CAs in one file", "A key with its chain, or CAs, in files").replace(
    "kinds: [store]", "kinds: [slot, store]").replace("{root}/trust", "{root}/{target}").replace("parameters:", """parameters:
  address: {default: 127.0.0.1, pattern: hosts, server: true}
  port: {default: 443, pattern: port, server: true}""").replace("files:", """files:
  - {name: cert.pem, content: fullchain, mode: "0644"}
  - {name: key.pem, content: key, mode: "0600"}""").replace("drain: 1ms", """probe: {addresses: ["{address}"], port: "{port}", sightings: 1}
drain: 1ms""").replace("{store: read}", "{slot: probe, store: read}")


class Ops:
    """The API, as om calls it: always with a Content-Type, mostly without a body."""

    def __init__(self, server, name, role):
        self.server = server
        self.token = server.cli.json("principal", "add", name, "--role", role, "--facade", "opsmanager")["token"]

    def call(self, method, path, body=None, args=()):
        status, reply, kind = self.server.curl(method, path, body, token=self.token, held=False,
                                               args=("-H", "Content-Type: application/json", *args) if body is None else args)
        assert kind.startswith("application/json") and status < 500, (method, path, status, reply)
        return status, reply

    def is_(self, name, method, path, body=None, status=200):
        got, reply = self.call(method, path, body)
        assert got == status, (method, path, got, reply)
        expected.hold("opsmanager", name, reply)
        return reply

    def authorities(self):
        return self.call("GET", "/api/v0/certificate_authorities")[1]["certificate_authorities"]

    def guid(self, active):
        return next(a["guid"] for a in self.authorities() if a["active"] == active)

    def apply(self):
        """apply-changes, with its requests, and waiting for it as people do who know ?wait."""
        body = {"ignore_warnings": "false", "force_latest_variables": False, "deploy_products": "all"}
        number = self.is_("install", "POST", "/api/v0/installations", body)["install"]["id"]
        until("the installation", lambda: self.call("GET", f"/api/v0/installations/{number}?wait=5")[1]["status"] != "running")
        self.is_("installation_succeeded", "GET", f"/api/v0/installations/{number}")
        return number


class Agent:
    """A node with a trust store that is read at each use."""

    def __init__(self, world, deployment, name, settings=""):
        self.name, self.dir = name, world.folder / name
        self.dir.mkdir()
        server = world.server
        (self.dir / "settings.yaml").write_text(f"targets:\n  trust: {{root: {self.dir}}}\n" + settings.replace("{dir}", str(self.dir)))
        token = server.cli.json("token", "create", "--deployment", deployment, "--instance", name)["token"]
        subprocess.run([server.cli.program, "agent", "enroll", "--server", server.url, "--ca-fingerprint", world.fingerprint, "--token-file",
                        "-", "--dir", str(self.dir / "agent")], input=token + "\n", text=True, check=True, capture_output=True, timeout=30)
        self.agent = subprocess.Popen([server.cli.program, "agent", "run", "--dir", str(self.dir / "agent"), "--profiles",
                                       str(world.folder / "profiles"), "--settings", str(self.dir / "settings.yaml")],
                                      stdout=open(self.dir / "log", "w"), stderr=subprocess.STDOUT)

    @property
    def ca(self):
        return self.dir / "trust/current/ca.pem"

    def stop(self):
        self.agent.terminate()
        self.agent.wait(20)


class Service(threading.Thread):
    """What a health check checks: it serves whatever certificate its files hold at that moment."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.listener = folder, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
                raw.settimeout(5)
                context.wrap_socket(raw, server_side=True).close()
            except OSError:  # there is none yet; or who shook hands has gone
                raw.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(10)


class Check(Agent):
    """A health check: a deployment of its own with a node that serves, and trusts, what its agent brought."""

    def __init__(self, world, number):
        self.world, self.service = world, Service(world.folder / f"check-{number}" / "tls/current")
        world.cli.ok("deployment", "create", HEALTH, "--ephemeral", "--ttl", "1m",
                     "--slot", f"name=tls,profile=check-node,authority={node.AUTHORITY},credential=/check/{{instance}},san={{instance}}.example",
                     "--store", f"name=trust,profile=check-node,bundle={node.BUNDLE},parameter.proof=read")
        world.true()  # a deployment without a node uses nothing
        super().__init__(world, HEALTH, f"check-{number}", f"  tls: {{root: {{dir}}, port: {self.service.port}}}\n")
        self.service.start()

    def use(self):
        """Who trusts what the others trust shakes hands with it, and it shakes hands with the others."""
        until("it to count", lambda: [t["state"] for t in self.world.cli.json("target", "list", "--instance", self.name)["items"]] == ["counted"] * 2)
        self.world.true(self)
        shown = shake_hands(self.service.port, f"{self.name}.example", self.world.app.ca)
        shake_hands(self.world.nginx.port, self.world.nginx.host, self.ca)
        return self.world.issuer(shown)

    def gone(self):
        self.world.cli.ok("instance", "delete", self.world.cli.json("instance", "list", "--deployment", HEALTH)["items"][0]["id"], "--now")
        self.world.cli.ok("deployment", "delete", HEALTH)
        self.world.true()
        self.stop()

    def stop(self):
        self.service.stop()
        super().stop()
        shutil.rmtree(self.dir)


def shake_hands(port, name, ca):
    """The leaf that was shown, believed by these CAs alone."""
    context = ssl.create_default_context(cafile=str(ca))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
        return x509.load_der_x509_certificate(tls.getpeercert(True))


class Regenerating(threading.Thread):
    """active/regenerate, again and again; whatever is not a plain yes is kept."""

    def __init__(self, ops):
        super().__init__(daemon=True)
        self.ops, self.asked, self.refused, self.ended = ops, 0, [], False

    def run(self):
        while not self.ended:
            status, reply = self.ops.call("POST", "/api/v0/certificate_authorities/active/regenerate")
            self.asked += 1
            if status != 200 or "safety_violations" in reply or "/prod/web/web-1" not in [r["variable_path"] for r in reply["certificates"]["regenerated"]]:
                self.refused.append((status, reply))
            time.sleep(0.05)


class World:
    def __init__(self, server, folder):
        self.server, self.cli, self.folder, self.parts = server, server.cli, folder, []
        self.ops = Ops(server, "opsman", "admin")

    def begin(self):
        node.authority(self.cli)
        node.deployment(self.cli, "web")
        self.cli.ok("deployment", "create", "app", "--store", f"name=trust,profile=check-trust,bundle={node.BUNDLE},parameter.proof=read")
        (self.folder / "profiles").mkdir()
        (self.folder / "profiles/check-trust.yaml").write_text(PROFILE)
        (self.folder / "profiles/check-node.yaml").write_text(SERVED)
        self.nginx = node.Nginx(self.server, self.folder, "web", "web-1")
        self.parts.append(self.nginx)
        self.fingerprint = self.cli.ok("token", "create", "--deployment", "app").split("--ca-fingerprint ")[1].split()[0]
        self.app = Agent(self, "app", "app-1")
        self.parts.append(self.app)
        until("the store to count", lambda: self.cli.json("target", "list", "--instance", "app-1")["items"][0]["state"] == "counted")
        self.traffic = node.Traffic(self.nginx, lambda: self.app.ca.read_text())
        self.traffic.start()

    def shake(self, n=20):
        want = self.traffic.good + n
        until("handshakes", lambda: self.traffic.good > want or self.traffic.bad)
        assert not self.traffic.bad, self.traffic.bad[:3]

    def issuer(self, leaf):
        """The id of the version of the CA that signed it, by its signature."""
        def signed(root):
            try:
                key = x509.load_pem_x509_certificate(root["cert_pem"].encode()).public_key()
                key.verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(leaf.signature_hash_algorithm))
                return True
            except Exception:  # noqa: BLE001  another name, or another key
                return False
        return next(root["guid"] for root in self.ops.authorities() if signed(root))

    def true(self, check=None, foreign=None):
        """The topology says what the nodes themselves show at this moment, and nothing else: who serves, by a handshake; who only
        trusts, by its file; who has no agent, by what it said."""
        serving = {"web": self.issuer(shake_hands(self.nginx.port, self.nginx.host, self.app.ca))}
        if check:
            serving[HEALTH] = self.issuer(shake_hands(check.service.port, f"{check.name}.example", self.app.ca))
        if foreign:
            serving["/opsmgr/bosh-health"] = foreign
        topology = self.maestro()
        held = {root["guid"] for root in self.ops.authorities() if root["cert_pem"] in self.app.ca.read_text()}
        using = {(name, v["version_id"]) for v in topology for name in v.get("deployment_names", [])}
        trusting = [version for name, version in using if name == "app"]
        assert len(trusting) == 1 and trusting[0] in held, (using, held)
        assert using - {("app", trusting[0])} == set(serving.items()), (using, serving)
        active = {version for _, version in using}
        assert [v.get("active", False) for v in topology] == [v["version_id"] in active for v in topology], topology
        return {name: version for name, version in using if name != "app"}

    def maestro(self):
        text = self.cli.ok("topology", "--name", node.AUTHORITY, "-o", "maestro")
        assert text == self.cli.ok("maestro", "topology", "--name", node.AUTHORITY), "both words print the same"
        return yaml.safe_load(text)["topology"][0]["versions"]

    def trusted(self):
        return self.app.ca.read_text().count("BEGIN")

    def serial(self):
        return self.traffic.shown[-1].serial

    def end(self):
        if hasattr(self, "traffic"):
            self.traffic.ended = True
            self.traffic.join()
        for part in self.parts:
            part.stop()


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    w = World(server, tmp_path_factory.mktemp("opsmanager"))
    try:
        w.begin()
        yield w
    finally:
        w.end()


def test_what_is_there(world):
    ops = world.ops
    world.shake()
    ops.is_("info", "GET", "/api/v0/info")
    assert world.server.curl("GET", "/api/v0/info", token=None, held=False)[0] == 200  # om asks before it has a token
    ops.is_("certificate_authorities", "GET", "/api/v0/certificate_authorities")
    ops.is_("root_ca_certificate", "GET", "/api/v0/security/root_ca_certificate")
    flat = ops.is_("deployed_certificates", "GET", "/api/v0/deployed/certificates")["certificates"]
    ops.is_("deployed_certificates_v1", "GET", "/api/v1/deployed/certificates")
    assert ops.call("GET", "/api/v0/deployed/certificates?expires_within=1d") == (200, {"certificates": []})
    assert ops.call("GET", "/api/v0/deployed/certificates?expires_within=4m")[1]["certificates"] == flat[1:]  # the leaf: 90 days
    assert ops.call("GET", "/api/v0/deployed/certificates?show_excluded_from_rotation_only=true")[1]["certificates"] == []
    leaves = ops.call("GET", "/api/v1/deployed/certificates?expires_within=4m&no_cache=true")[1]["certificates"]
    assert [c["name"] for c in leaves] == ["/prod/ca"] and [c["name"] for c in leaves[0]["signs"]] == ["/prod/web/web-1"]
    products = ops.call("GET", "/api/v0/deployed/products")[1]
    assert products == ops.call("GET", "/api/v0/staged/products")[1] and "web" in [p["guid"] for p in products]
    ops.is_("installations_none", "GET", "/api/v0/installations")
    ops.is_("regenerate_none", "POST", "/api/v0/certificate_authorities/active/regenerate")


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_the_documented_rotation(world):
    """Generate, apply, activate, regenerate, apply, delete, apply; after each: who holds what; no handshake failed."""
    ops, old = world.ops, world.serial()
    new = ops.is_("generate", "POST", "/api/v0/certificate_authorities/generate")["guid"]
    two = ops.is_("certificate_authorities_two", "GET", "/api/v0/certificate_authorities")["certificate_authorities"]
    assert two[1]["guid"] == new
    ops.is_("generate_again", "POST", "/api/v0/certificate_authorities/generate", status=422)
    ops.is_("delete_fresh", "DELETE", f"/api/v0/certificate_authorities/{new}", status=422)
    world.shake()
    assert world.trusted() == 1  # nothing reaches a node outside an apply
    first = ops.apply()
    assert world.trusted() == 2 and world.serial() == old
    log = ops.is_("logs", "GET", f"/api/v0/installations/{first}/logs")["logs"]
    assert "applying changes" in log and "stores trust the new certificate authority" in log and "every member was seen" in log, log
    world.shake()

    ops.is_("activate", "POST", f"/api/v0/certificate_authorities/{new}/activate", {})
    assert ops.guid(True) == new
    ops.is_("generate_again_active", "POST", "/api/v0/certificate_authorities/generate", "null", status=422)
    ops.is_("delete_needed", "DELETE", f"/api/v0/certificate_authorities/{two[0]['guid']}", status=422)
    ops.is_("regenerate", "POST", "/api/v0/certificate_authorities/active/regenerate")
    world.shake()
    assert world.serial() == old
    ops.apply()
    until("the new certificate", lambda: world.serial() != old)
    world.shake()
    assert world.trusted() == 2

    ops.is_("delete", "DELETE", f"/api/v0/certificate_authorities/{two[0]['guid']}")
    world.shake()
    assert world.trusted() == 2
    ops.apply()
    assert world.trusted() == 1
    assert ops.is_("certificate_authorities", "GET", "/api/v0/certificate_authorities")["certificate_authorities"][0]["guid"] == new
    assert [i["status"] for i in ops.call("GET", "/api/v0/installations")[1]["installations"]] == ["succeeded"] * 3
    world.shake()
    print(f"{world.traffic.good} handshakes, {len(world.traffic.bad)} failed")


def check_health(world, numbers, old, new):
    """One check after the other, as they come; the versions that they were seen to serve."""
    shown, begun = [], time.monotonic()
    for i, number in enumerate(numbers):
        time.sleep(max(0, begun + i * EVERY_S - time.monotonic()))
        came = time.monotonic()
        check = Check(world, number)
        world.parts.append(check)
        shown.append(check.use())
        time.sleep(max(0, came + LIVES_S - time.monotonic()))
        check.gone()
        world.parts.remove(check)
    assert set(shown) <= {old, new}
    return shown


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_a_health_check_in_the_middle(world):
    """A deployment comes with a real agent, serves a certificate, and is deleted; before the switch, while the lasting ones are
    held back and it alone takes the newest (the incident), and after.  Nobody is refused because of it, and what the topology
    says is true at each of its steps."""
    ops, cli = world.ops, world.cli
    ops.call("POST", "/api/v0/certificate_authorities/generate")
    ops.apply()
    old, new = (a["guid"] for a in ops.authorities())
    ops.call("POST", f"/api/v0/certificate_authorities/{new}/activate", {})
    world.true()
    regenerating = Regenerating(ops)
    regenerating.start()
    begun, early = time.monotonic(), CHECKS // 4
    try:
        assert set(check_health(world, range(early), old, new)) == {old}  # nothing is sent of what was only ordered

        until("an order", lambda: regenerating.asked > 1)
        cli.ok("deployment", "policy", "web", "--window", NEVER)
        number = ops.call("POST", "/api/v0/installations", {"deploy_products": "all"})[1]["install"]["id"]
        assert set(check_health(world, range(early, CHECKS - early), old, new)) == {new}  # two are active, and only it has the newest
        assert world.true()["web"] == old and ops.call("GET", f"/api/v0/installations/{number}")[1]["status"] == "running"
        cli.ok("deployment", "policy", "web", "--no-window")
        until("the installation", lambda: ops.call("GET", f"/api/v0/installations/{number}?wait=5")[1]["status"] != "running")

        assert set(check_health(world, range(CHECKS - early, CHECKS), old, new)) == {new}
        assert world.true()["web"] == new
    finally:
        regenerating.ended = True
        regenerating.join(30)
    took = time.monotonic() - begun
    assert not regenerating.refused, regenerating.refused[:3]
    ops.is_("regenerate", "POST", "/api/v0/certificate_authorities/active/regenerate")
    world.shake()
    ops.is_("delete", "DELETE", f"/api/v0/certificate_authorities/{old}")
    ops.apply()
    assert [v["version_id"] for v in world.maestro()] == [new]
    world.true()
    world.shake()
    print(f"{CHECKS} health checks in {took:.1f} s, {regenerating.asked} regenerate calls, none refused; {world.traffic.good} handshakes, "
          f"{len(world.traffic.bad)} failed")


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_a_foreign_health_check_in_the_middle(world):
    """One without an agent that trusts the newest alone, and says so: one violation, which names it and goes with it."""
    ops, cli = world.ops, world.cli
    cli.ok("deployment", "create", "/opsmgr/bosh-health", "--external", "--ephemeral", "--ttl", "10m", "--grace", "none", "--store",
           f"name=trust,bundle={node.BUNDLE}")
    ops.call("POST", "/api/v0/certificate_authorities/generate")
    ops.apply()
    new = ops.authorities()[1]
    ops.call("POST", f"/api/v0/certificate_authorities/{new['guid']}/activate", {})
    regenerate = "/api/v0/certificate_authorities/active/regenerate"
    ops.is_("regenerate", "POST", regenerate)
    party = node.party(world.server, "/opsmgr/bosh-health", "check-1")
    party.wanted()
    party.report(None, new["cert_pem"])
    world.true(foreign=new["guid"])
    for _ in range(3):  # one violation, however often it is asked
        refused = ops.is_("regenerate_violation", "POST", regenerate, status=422)
        one = refused["blocking"][0]
        since, until_ = (datetime.datetime.fromisoformat(one[k].replace("Z", "+00:00")) for k in ("since", "lease_until"))
        age = (datetime.datetime.now(datetime.timezone.utc) - since).total_seconds()
        assert one["version_id"] == new["guid"] and 0 <= age < 60, one
        assert 590 <= (until_ - since).total_seconds() <= 610 and 500 < refused["retry_after"] <= 600, refused
    op = Ops(world.server, "op", "operator")
    op.is_("errors_nested", "POST", f"{regenerate}?skip_safety_check=true", status=403)
    ops.is_("regenerate", "POST", f"{regenerate}?skip_safety_check=true")
    ops.is_("regenerate", "POST", regenerate, {"skip_safety_check": True})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(ops.call, "POST", regenerate + "?wait=60")
        world.shake()  # it is held: a refusal would be there long ago
        assert not waiting.done()
        cli.ok("instance", "delete", party.instance["id"], "--now")
        assert waiting.result(30)[0] == 200
    world.true()
    ops.is_("regenerate", "POST", regenerate)
    ops.apply()
    ops.call("DELETE", f"/api/v0/certificate_authorities/{ops.guid(False)}")
    ops.apply()
    world.shake()


class Root:
    """Somebody's root with its key, made yesterday: what is valid from now on only is used when no clock can be behind it."""

    def __init__(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        named, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), datetime.datetime.now(datetime.timezone.utc)
        cert = x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(1),
                                       now + datetime.timedelta(3650)).add_extension(x509.BasicConstraints(True, None), True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).sign(key, hashes.SHA256())
        self.pem, self.scalar = cert.public_bytes(serialization.Encoding.PEM).decode(), key.private_numbers().private_value.to_bytes(32, "big")
        self.key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_a_ca_of_ones_own(world, tmp_path):
    """Brought with its key, it is the next one: trusted, then signing, then alone; its key stays with the keeper."""
    ops, path = world.ops, "/api/v0/certificate_authorities"
    root, other, leaf = Root("Corporate"), Root("Other"), Corporate(tmp_path / "leaf")
    pem, key = root.pem, root.key
    before = len(world.cli.json("audit", "list")["items"]), ops.authorities()
    for wrong, name in (((pem, other.key), "errors_nested"), ((pem + other.pem, key), "errors_nested"),
                        (("x", key), "errors_nested"), ((pem, "x"), "errors_nested"),
                        ((leaf.certificate.read_text(), leaf.key.read_text()), "errors_nested_two")):
        ops.is_(name, "POST", path, dict(zip(("cert_pem", "private_key_pem"), wrong)), 400)
    assert (len(world.cli.json("audit", "list")["items"]), ops.authorities()) == before
    made = ops.is_("create", "POST", path, {"cert_pem": pem, "private_key_pem": key})
    old = ops.guid(True)
    assert made["cert_pem"] == pem and made["issuer"] == "CN=Corporate"
    ops.is_("generate_again", "POST", path, {"cert_pem": other.pem, "private_key_pem": other.key}, 422)
    ops.apply()
    assert pem in world.app.ca.read_text() and world.true()["web"] == old
    ops.is_("activate", "POST", f"{path}/{made['guid']}/activate", {})
    ops.is_("regenerate", "POST", f"{path}/active/regenerate")
    ops.apply()
    assert world.true()["web"] == made["guid"]
    ops.is_("delete", "DELETE", f"{path}/{old}")
    ops.apply()
    assert world.app.ca.read_text() == pem
    world.shake()
    text = key.splitlines()
    assert text[1] not in world.server.logged()
    if os.geteuid() == 0:  # it reads another process's memory
        found = scan(world.server.process.pid, {"PEM": text[1].encode(), "scalar": root.scalar, "certificate": pem.encode().splitlines()[2]})
        assert found["PEM"] == found["scalar"] == 0 and found["certificate"], found


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_the_ssl_certificate(world, tmp_path):
    """Set, shown to who connects, and taken away; its key is in no answer."""
    ops, path = world.ops, "/api/v0/settings/ssl_certificate"
    corporate = Corporate(tmp_path / "corporate")
    pem, key = corporate.certificate.read_text() + corporate.root.read_text(), corporate.key.read_text()
    ops.is_("ssl_certificate_none", "GET", path)
    for body, status in (({"certificate": pem}, 400), ({"certificate": pem, "private_key": "x"}, 400), ({"certificate": "x", "private_key": key}, 400),
                         ({"certificate": corporate.certificate.read_text(), "private_key": key}, 400)):
        ops.is_("errors_nested", "PUT", path, body, status)
    Ops(world.server, "op2", "operator").is_("errors_nested", "PUT", path, {"certificate": pem, "private_key": key}, 403)
    ops.is_("ssl_certificate_none", "GET", path)
    ops.is_("nothing", "PUT", path, {"certificate": pem, "private_key": key})
    until("it to be shown", lambda: "Corporate" in issuer_shown(world.server, NAME))
    shown = ops.is_("ssl_certificate", "GET", path)
    assert shown["ssl_certificate"]["certificate"] == corporate.certificate.read_text() and key.splitlines()[1] not in world.server.logged()
    world.shake()
    ops.is_("nothing", "DELETE", path)
    ops.is_("nothing", "DELETE", path)
    ops.is_("ssl_certificate_none", "GET", path)


NOBODY = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11"
WRONG = (  # method, path, body, status
    ("GET", "/api/v0/deployed/certificates?expires_within=soon", None, 400),
    ("GET", "/api/v0/deployed/certificates?expires_within=0d", None, 400),
    ("GET", "/api/v0/deployed/certificates?unknown=1", None, 400),
    ("POST", "/api/v0/certificate_authorities/generate", {"unknown": True}, 400),
    ("POST", "/api/v0/certificate_authorities/generate", {"skip_safety_check": "yes"}, 400),
    ("POST", "/api/v0/certificate_authorities/generate", {"exclude_from_rotation": ["/nobody/ca"]}, 400),
    ("POST", "/api/v0/certificate_authorities/generate", {"exclude_from_rotation": ["/prod/ca"]}, 422),
    ("POST", "/api/v0/certificate_authorities/generate?dry_run=true", None, 400),
    ("POST", "/api/v0/certificate_authorities/generate", "[1", 400),
    ("POST", "/api/v0/certificate_authorities/generate", "[]", 400),
    ("POST", f"/api/v0/certificate_authorities/{NOBODY}/activate", {}, 404),
    ("POST", "/api/v0/certificate_authorities/no-uuid/activate", {}, 404),
    ("POST", "/api/v0/certificate_authorities//activate", {}, 404),  # om without --id, when it read no date
    ("DELETE", f"/api/v0/certificate_authorities/{NOBODY}", None, 404),
    ("DELETE", "/api/v0/certificate_authorities/" + "x" * 2000, None, 404),
    ("POST", "/api/v0/certificate_authorities", {"cert_pem": "x", "private_key_pem": "y"}, 400),
    ("POST", "/api/v0/certificate_authorities", {"cert_pem": "x"}, 400),
    ("POST", "/api/v0/certificate_authorities", {"cert_pem": 1, "private_key_pem": "y"}, 400),
    ("POST", "/api/v0/certificate_authorities", "null", 400),
    ("POST", "/api/v0/certificates/generate", None, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": []}, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": "a.example"}, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": ["a.example"], "name": "x"}, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": ["*.example"]}, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": ["\u00fcber.example"]}, 400),
    ("POST", "/api/v0/certificates/generate", {"domains": ["../../prod/ca"]}, 400),
    ("POST", "/api/v0/certificates/generate?dry_run=true", {"domains": ["a.example"]}, 400),
    ("GET", "/api/v0/installations/1x", None, 404),
    ("GET", "/api/v0/installations/999999999999999999", None, 404),
    ("GET", "/api/v0/installations/1/logs", None, 404),
    ("POST", "/api/v0/installations", {"deploy_products": "some"}, 400),
    ("POST", "/api/v0/installations", {"deploy_products": ["web"]}, 422),
    ("POST", "/api/v0/installations", {"deploy_products": ["web", "app", "nobody"]}, 422),
    ("POST", "/api/v0/installations", {"deploy": "all"}, 400),
    ("GET", "/api/v0/staged/director", None, 404),
    ("PUT", "/api/v0/unlock", {"passphrase": "x"}, 404),
)


def test_what_is_wrong(world):
    """The documented status and shape, and nothing changed."""
    ops = world.ops
    token, ops.token = ops.token, None
    ops.is_("errors_nested", "GET", "/api/v0/certificate_authorities", status=401)
    ops.is_("errors_nested", "GET", "/api/v0/staged/director", status=401)  # what is not there is nobody's business either
    ops.token = token
    before = len(world.cli.json("audit", "list")["items"]), ops.authorities()
    for method, path, body, status in WRONG:
        ops.is_("errors_nested" if status == 400 else "errors", method, path, body, status)
    active = ops.guid(True)
    ops.is_("errors", "DELETE", f"/api/v0/certificate_authorities/{active}", status=422)
    ops.is_("activate", "POST", f"/api/v0/certificate_authorities/{active}/activate", {})  # it is: nothing to do
    assert (len(world.cli.json("audit", "list")["items"]), ops.authorities()) == before
    auditor = Ops(world.server, "aud", "auditor")
    auditor.is_("certificate_authorities", "GET", "/api/v0/certificate_authorities")
    for method, path, status in (("POST", "/api/v0/certificate_authorities/generate", 403), ("POST", "/api/v0/installations", 403),
                                 ("DELETE", f"/api/v0/certificate_authorities/{active}", 403)):
        auditor.is_("errors_nested", method, path, status=status)


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_a_token_as_om_asks_for_it(world):
    """POST /uaa/oauth/token: for people with Basic opsman and no secret, for programs with their own."""
    password = world.cli.json("principal", "add", "ada", "--role", "operator", "--facade", "opsmanager", "--password")["password"]
    for basic, form in (("opsman:", f"client_id=opsman&grant_type=password&username=ada&password={password}&token_format=jwt"),
                        (f"ada:{password}", "grant_type=client_credentials&token_format=jwt")):
        status, reply, _ = world.server.curl("POST", "/uaa/oauth/token", None, token=None, held=False, args=("-u", basic, "-d", form))
        assert status == 200 and reply["token_type"] == "bearer" and reply["expires_in"] > 0, reply
        ada, ada.token = Ops.__new__(Ops), reply["access_token"]
        ada.server = world.server
        ada.is_("certificate_authorities", "GET", "/api/v0/certificate_authorities")


@pytest.mark.release_only  # what it does to C memory the unit tests do
def test_a_certificate_by_its_domains(world, tmp_path):
    """generate-certificate: who took one is waited for by his domains, comes for the next one, and shakes hands all the while; its key
    is nowhere in the server."""
    ops, domains = world.ops, {"domains": ["*.sys.example.org", "*.APPS.example.org", "*.sys.example.org"]}
    path, name = "/api/v0/certificates/generate", "/prod/ca/generated/_wildcard.apps.example.org/_wildcard.sys.example.org"
    service = Service(tmp_path)

    def take(asked):
        taken = ops.is_("certificate_generated", "POST", path, asked)
        (tmp_path / "cert.pem").write_text(taken["certificate"])
        (tmp_path / "key.pem").write_text(taken["key"])
        return taken

    def shown():
        return world.issuer(shake_hands(service.port, "api.sys.example.org", world.app.ca))

    try:
        old, first = ops.guid(True), take(domains)
        service.start()
        leaf = x509.load_pem_x509_certificate(first["certificate"].encode())
        assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [
            "*.sys.example.org", "*.apps.example.org"] and leaf.public_key().key_size == 2048
        assert 725 < (leaf.not_valid_after - leaf.not_valid_before).days <= 731
        assert shown() == old
        if os.geteuid() == 0:  # it reads another process's memory
            private = serialization.load_pem_private_key(first["key"].encode(), None).private_numbers()
            found = scan(world.server.process.pid, {"PEM": first["key"].splitlines()[1].encode(), "prime": private.p.to_bytes(128, "big"),
                                                    "root": ops.authorities()[0]["cert_pem"].splitlines()[2].encode()})
            assert found["PEM"] == found["prime"] == 0 and found["root"], found
        assert first["key"].splitlines()[1] not in world.server.logged()

        new = ops.call("POST", "/api/v0/certificate_authorities/generate")[1]["guid"]
        ops.apply()
        ops.call("POST", f"/api/v0/certificate_authorities/{new}/activate", {})
        listed = ops.call("POST", "/api/v0/certificate_authorities/active/regenerate")[1]["certificates"]
        assert [r["variable_path"] for r in listed["excluded"]] == [name]
        ops.apply()
        refused = ops.is_("delete_held", "DELETE", f"/api/v0/certificate_authorities/{old}", status=422)
        assert refused["blocking"][0]["version_id"] == old and shown() == old
        second = take({"domains": domains["domains"][::-1]})  # the same set
        assert second["key"] != first["key"] and shown() == new
        ops.is_("delete", "DELETE", f"/api/v0/certificate_authorities/{old}")
        ops.apply()
        assert world.trusted() == 1 and shown() == new
        world.shake()
    finally:
        service.stop()
