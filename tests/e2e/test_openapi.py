"""The API's description: it is OpenAPI 3.1, each of its examples is an example, and each route does what it says.

The walk calls every route until it has given every answer that is described for when all is well; each change is also asked for with
an If-Match that does not hold, as a dry run, and twice under one Idempotency-Key."""

import datetime
import re
import uuid

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api import Caller, closed

PEM = serialization.Encoding.PEM


def csr(name="x"):
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return key, request.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


def pem_key(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def certificate(subject, public, issuer, issuer_key, ca=False, dns=None):
    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
         .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
         .not_valid_after(now + datetime.timedelta(days=1000 if subject == issuer else 900 if ca else 60)).add_extension(x509.BasicConstraints(ca, None), True)
         .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    if ca:
        b = b.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True)
    if dns:
        b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), False)
        b = b.add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)
    return b.sign(issuer_key, hashes.SHA256()).public_bytes(PEM).decode()


# -- the document --------------------------------------------------------------------------------------------------
def each(value, path="#"):
    yield path, value
    for k, v in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from each(v, f"{path}/{k}")


def test_it_is_openapi(server):
    doc = server.curl("GET", "/v1/openapi.json")[1]
    assert re.fullmatch(r"3\.1\.\d+", doc["openapi"]) and doc["info"]["title"] and doc["info"]["version"]
    assert set(doc) == {"openapi", "info", "security", "paths", "components"}
    ids = [o.said["operationId"] for o in server.api.operations]
    assert len(ids) == len(set(ids)) > 70
    for o in server.api.operations:
        assert o.said["summary"] and set(o.said) <= {"operationId", "summary", "tags", "x-verb", "x-roles", "security", "parameters",
                                                      "requestBody", "responses"}, o
        assert sorted(re.findall(r"\{(\w+)\}", o.path)) == sorted(o.named("path")), o
        assert all(p["required"] for p in o.parameters if p["in"] == "path"), o
        assert all(set(p) <= {"name", "in", "required", "description", "schema"} for p in o.parameters), o
        assert all(r["description"] and set(r) <= {"description", "headers", "content"} for r in o.responses.values()), o
        assert min(o.responses) < 300, o
    for path, value in each(doc):
        if isinstance(value, dict) and "$ref" in value:
            assert server.api.resolved(value) and set(value) <= {"$ref", "description", "examples"}, path


def test_schemas_are_schemas_and_examples_examples(server):
    doc, examples = server.curl("GET", "/v1/openapi.json")[1], 0
    for name, schema in doc["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert set(schema["required"]) <= set(schema["properties"]), name
    for path, value in each(doc):
        if isinstance(value, dict) and isinstance(value.get("examples"), list) and "/properties/examples" not in path:
            for example in value["examples"]:
                assert server.api.differs({k: v for k, v in value.items() if k != "examples"}, example) is None, path
                examples += 1
    assert examples > 300


def test_strictness_is_strict(server):
    """What the other tests rely on: a member too many, one too few, another status, and an unknown route are noticed."""
    health = server.curl("GET", "/v1/health")[1]
    server.api.hold("GET", "/v1/health", 200, health, "application/json")
    for wrong in (({**health, "more": 1}, 200), ({"status": "ok"}, 200), (health, 201), ({**health, "status": "bad"}, 200)):
        with pytest.raises(AssertionError):
            server.api.hold("GET", "/v1/health", wrong[1], wrong[0], "application/json")
    with pytest.raises(AssertionError):
        server.api.hold("GET", "/v1/nothing", 200, {}, "application/json")
    assert closed({"type": "object", "properties": {}})["additionalProperties"] is False


# -- the walk ---------------------------------------------------------------------------------------------------------
class Walk:
    def __init__(self, server, tmp_path):
        self.server, self.tmp, self.admin = server, tmp_path, Caller(server)

    def get(self, path, status=200, who=None, headers=None):
        got, reply, _ = (who or self.admin).call("GET", path, None, headers)
        assert got == status, f"GET {path}: {got} {reply}"
        return reply

    def change(self, method, path, body=None, status=200, who=None, again=None):
        """Refused under an If-Match that does not hold; a dry run; done; and, said again under its key, not done again."""
        who = who or self.admin
        got, reply, _ = who.call(method, path, body, {"If-Match": '"999999"'})
        assert got == 412, f"{method} {path} with another revision: {got} {reply}"
        got, reply, _ = who.call(method, path + ("&" if "?" in path else "?") + "dry_run=true", body)
        tries = "dry_run" in self.server.api.find(method, path).named("query")
        would = (200 if status in (201, 202) else status) if tries else 400
        assert got == would, f"dry run of {method} {path}: {got} {reply}"
        key = {"Idempotency-Key": str(uuid.uuid4())}
        got, reply, headers = who.call(method, path, body, key)
        assert got == status, f"{method} {path}: {got} {reply}"
        twice, same, replayed = who.call(method, path, body, key)
        if again:  # a secret is not shown twice
            assert twice == again, f"{method} {path} again: {twice} {same}"
        else:
            assert (twice, same) == (got, reply) and replayed["Idempotency-Replayed"] == "true", f"{method} {path}: {twice} {same}"
            assert [replayed[h] for h in ("ETag", "Location")] == [headers[h] for h in ("ETag", "Location")], f"{method} {path}"
        if headers["ETag"] and method != "DELETE":
            assert headers["ETag"] == f'"{reply["rev"]}"', path
        return reply

    # each of these leaves what the next need
    def nouns(self):
        self.ca = self.change("POST", "/v1/authorities", {"name": "/api/ca", "leaf_ttl": "30d"}, 201)
        self.change("PATCH", f"/v1/authorities/{self.ca['id']}", {"renew": "never"})
        self.change("PATCH", f"/v1/authorities/{self.ca['id']}/rollout", {"switch": "each", "rollout": "manual"})
        self.trust = self.change("POST", "/v1/bundles", {"name": "/api/trust", "authorities": ["/api/ca"]}, 201)
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate("Corporate", self.root_key.public_key(), "Corporate", self.root_key, ca=True)
        at = f"/v1/bundles/{self.trust['id']}"
        member = self.change("POST", at + "/members", {"alias": "corporate", "pem": self.root}, 201)["members"][-1]
        self.get("/v1/bundles"), self.get(at)
        self.change("DELETE", f"{at}/members/{member['id']}")
        slot = {"name": "tls", "profile": "pem-files", "authority": "/api/ca", "credential": "/api/{instance}/tls",
                "sans": ["{instance}.example"], "parameters": {"x": "y"}}
        store = {"name": "trust", "profile": "pem-files", "bundle": "/api/trust"}
        self.deployment = self.change("POST", "/v1/deployments", {"name": "api", "slots": [slot], "stores": [store]}, 201)
        at = f"/v1/deployments/{self.deployment['id']}"
        self.change("POST", at + "/templates", {"stores": [{**store, "name": "more"}]}, 201)
        self.change("PATCH", at, {"max_unavailable": 2, "windows": [], "stop_on_failure": True, "pause": "1s"})
        self.get("/v1/deployments?name=api"), self.get(at)
        gone = self.change("POST", "/v1/deployments", {"name": "gone", "ephemeral": True, "ttl": "60s"}, 201)
        self.change("DELETE", f"/v1/deployments/{gone['id']}", status=204)
        self.change("DELETE", "/v1/meets/" + "/".join(t["id"] for t in self.deployment["templates"][:2]))
        self.change("POST", "/v1/meets", {"slot": "api/tls", "store": "api/trust"}, 201)
        self.get("/v1/meets"), self.get("/v1/authorities?name=/api/ca"), self.get(f"/v1/authorities/{self.ca['id']}")

    def elsewhere(self):
        self.change("POST", "/v1/authorities/import", {"name": "/api/corporate", "certificate": self.root}, 201)
        made = self.change("POST", "/v1/authorities", {"name": "/api/external", "external": True, "issuer": "/api/corporate"}, 201)
        at = f"/v1/authorities/{made['id']}"
        asked = x509.load_pem_x509_csr(self.get(at + "/csr")["csr"].encode())
        signed = certificate(asked.subject.rfc4514_string().removeprefix("CN="), asked.public_key(), "Corporate", self.root_key, ca=True)
        self.change("POST", at + "/certify", {"certificate": signed}, 201)

    def credentials(self):
        made = self.change("POST", "/v1/credentials", {"name": "/api/lb", "authority": "/api/ca", "sans": ["lb.example"],
                                                       "csr": csr()[1]}, 201)
        at = f"/v1/credentials/{made['id']}"
        self.change("POST", at + "/renew", {"csr": csr()[1]})
        self.change("POST", at + "/attest", {"replaced": "renewed"})
        self.change("PATCH", at, {"renew_before": "5d"})
        self.get("/v1/credentials"), self.get(at)
        newest = self.get(at + "/versions")["items"][0]
        words = "&name_prefix=/api/&issuer=/api/ca&san=LB.example&expires_before=40d&sort=-expires&limit=5"
        found = self.get(f"/v1/credentials?fingerprint={newest['fingerprint']}{words}")["items"]
        assert [c["name"] for c in found] == ["/api/lb"] and found[0]["expires"] == newest["not_after"]
        assert self.get("/v1/credentials?expires_before=1d&name_prefix=/api/")["items"] == []
        assert self.get(at + "/export?version=" + newest["id"])["version"] == newest["id"]
        assert len(self.get("/v1/topology?name=/api/ca&all=true")["items"]) == 2
        assert self.get("/v1/authorities?sort=name")["items"][0]["name"] == "/api/ca"

    def tokens(self):
        token = self.change("POST", "/v1/tokens", {"deployment": "api", "instance": "never"}, 201, again=409)
        self.change("DELETE", f"/v1/tokens/{token['id']}", status=204)
        self.token = self.change("POST", "/v1/tokens", {"deployment": "api", "instance": "api-1"}, 201, again=409)["token"]
        self.get("/v1/tokens?deployment=api")

    def enrolled(self, token):
        key, request = csr()
        anybody = Caller(self.server, {})
        body = {"token": token, "csr": request, "boot_id": "b", "agent_version": "walk"}
        reply = self.change("POST", "/v1/agent/enroll", body, 201, who=anybody)
        paths = [self.tmp / f"{reply['instance']}.{kind}" for kind in ("pem", "key")]
        paths[0].write_text(reply["certificate"] + reply["chain"])
        paths[1].write_text(pem_key(key))
        return reply["instance_id"], Caller(self.server, cert=[str(p) for p in paths])

    def agent(self):
        self.instance, agent = self.enrolled(self.token)
        session = self.change("POST", "/v1/agent/session", {"boot_id": "b", "agent_version": "walk", "targets": []}, 201, who=agent)["session"]
        desired = self.get(f"/v1/agent/desired?session={session}&after=0", who=agent)
        slot = next(t for t in desired["targets"] if t["csr"])
        store = next(t for t in desired["targets"] if t["name"] == "trust")
        self.change("POST", "/v1/agent/csr", {"session": session, "target": slot["id"], "request": slot["csr"]["request"],
                                               "csr": csr()[1]}, who=agent)
        seen = [t for t in self.get("/v1/targets?state=joining")["items"] if t["id"] == store["id"]][0]["wanted"]["fingerprints"]
        self.change("POST", "/v1/agent/report", {
            "session": session, "seq": 1, "target": store["id"], "generation": store["generation"], "high_water": store["generation"],
            "level": "loaded", "settled": True, "fingerprints": seen, "found": {"fingerprints": [], "text": "nothing"}, "drift": []}, who=agent)
        self.change("POST", "/v1/agent/identity", {"csr": csr()[1]}, who=agent)
        self.get("/v1/instances?deployment=api"), self.get(f"/v1/instances/{self.instance}"), self.get(f"/v1/targets/{store['id']}")
        self.change("POST", f"/v1/targets/{store['id']}/retry")

    def upload(self):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = certificate("api-1", key.public_key(), "Corporate", self.root_key, dns="api-1.example")
        at = self.get("/v1/credentials?name=/api/api-1/tls")["items"][0]["id"]
        self.change("POST", f"/v1/credentials/{at}/upload", {"certificate": leaf, "chain": self.root, "private_key": pem_key(key),
                                                              "trust_issuer": "/api/trust"}, 201)

    def rotations(self):
        started = self.change("POST", "/v1/rotations", {"name": "/api/ca", "reason": "walk"}, 202)
        at = f"/v1/rotations/{started['rotation']}"
        self.get("/v1/rotations?name=/api/ca"), self.get(at)
        self.get("/v1/operations?kind=rotation&state=running"), self.get(f"/v1/operations/{started['operation']}?wait=10ms")
        self.get("/v1/explain?name=/api/ca"), self.get("/v1/forecast?until=30d")
        self.change("POST", at + "/approve", {"step": "introduce"})
        self.change("POST", at + "/pause"), self.change("POST", at + "/resume"), self.change("POST", at + "/abort")

    def outside(self):
        made = self.change("POST", "/v1/bindings", {"name": "/api/shop", "bundle": "/api/trust", "renew_by": "1d"}, 201)
        other = self.change("POST", "/v1/bindings", {"name": "/api/other", "bundle": "/api/trust"}, 201)
        at = f"/v1/bindings/{made['id']}"
        self.get("/v1/bindings"), self.get(at)
        tag = self.get(at + "/bundle?as=json")["tag"]
        assert "BEGIN" in self.get(at + "/bundle")
        self.change("POST", at + "/attest", {"reason": "renewed"})
        self.get(at + "/bundle", 304, headers={"If-None-Match": f'"{tag}"'})
        self.change("POST", f"/v1/bindings/{other['id']}/waive")
        self.change("DELETE", at, status=204)

    def external(self):
        slot = {"name": "tls", "authority": "/api/ca", "credential": "/api/{instance}/tls", "sans": ["{instance}.example"]}
        store = {"name": "trust", "bundle": "/api/trust"}
        self.change("POST", "/v1/deployments", {"name": "vips", "external": True, "grace": "1h", "slots": [slot], "stores": [store]}, 201)
        at = "/v1/instances/" + self.change("POST", "/v1/instances", {"deployment": "vips", "name": "vip-1"}, 201)["id"]
        wanted = {t["target"]: t for t in self.get(at + "/wanted?after=0")["targets"]}
        self.change("POST", at + "/csr", {"target": "tls", "request": wanted["tls"]["csr"]["request"], "csr": csr()[1]})
        trust = {k: wanted["trust"][k] for k in ("target", "generation", "fingerprints")}
        assert self.change("POST", at + "/report", {"seq": 1, "targets": [trust]})["targets"][0]["outcome"] == "counted"

    def recovering(self):
        assert self.get("/v1/agent/recovery", who=Caller(self.server, {}))["nonce"]
        assert self.get("/v1/recoveries")["items"] == []
        self.change("POST", "/v1/recoveries/approve", {"all": True})

    def people(self):
        made = self.change("POST", "/v1/principals", {"name": "ci", "role": "operator", "scope": "/api/*"}, 201, again=409)
        at = f"/v1/principals/{made['id']}"
        self.get("/v1/principals"), self.get(at), self.get("/v1/principals/self")
        self.change("POST", at + "/rotate", again=409)
        self.change("POST", at + "/unlock")
        self.change("DELETE", at, status=204)
        self.change("POST", "/v1/freeze", {"reason": "walk"})
        self.get("/v1/freeze")
        self.change("DELETE", "/v1/freeze")
        self.change("POST", "/v1/server/certificate", {"csr": csr()[1]})
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = certificate("walk", key.public_key(), "Corporate", self.root_key, dns="walk.example")
        self.change("PUT", "/v1/server/certificate", {"certificate": leaf, "chain": self.root, "private_key": pem_key(key)})
        assert self.get("/v1/server/certificate")["brought"]["names"] == ["dns:walk.example"]
        self.change("DELETE", "/v1/server/certificate", status=204)

    def webhooks(self):
        made = self.change("POST", "/v1/webhooks", {"name": "ops", "url": "http://127.0.0.1:1/", "events": ["server.epoch"]}, 201, again=409)
        at = f"/v1/webhooks/{made['id']}"
        self.get("/v1/webhooks"), self.get(at)
        self.change("POST", at + "/test", status=202)
        self.change("POST", at + "/enable")
        self.change("DELETE", at, status=204)

    def looking(self):
        for path in ("/v1/health", "/v1/version", "/v1/openapi.json", "/metrics", "/v1/audit", "/v1/audit/verify", "/v1/events?limit=2"):
            self.get(path)
        stream = Caller(self.server)
        stream.connect()
        stream.link.request("GET", "/v1/events", headers={**stream.own, "Accept": "text/event-stream"})
        reply = stream.link.getresponse()
        assert reply.readline().startswith(b"id: ")
        self.server.api.hold("GET", "/v1/events", reply.status, "", reply.headers["Content-Type"])
        reply.close()

    def farewell(self):
        at = f"/v1/instances/{self.instance}"
        self.change("POST", at + "/waive", {"reason": "walk"})
        self.change("DELETE", at + "?now=true", status=204)


# Only of an identity that has expired: tests/unit/facade/test_recovery.c and tests/e2e/test_recover.py move the clock.
OF_THE_EXPIRED = {("POST /v1/agent/recovery", 200), ("POST /v1/agent/recovery", 202), ("POST /v1/recoveries/deny", 200)}


def test_every_route_gives_what_is_described(server, tmp_path):
    walk = Walk(server, tmp_path)
    server.api.seen.clear()
    walk.nouns(), walk.elsewhere(), walk.credentials(), walk.tokens(), walk.agent(), walk.upload(), walk.rotations(), walk.outside(), walk.external(), walk.people(), walk.webhooks()
    walk.recovering(), walk.looking(), walk.farewell()
    described = {(str(o), status) for o in server.api.operations for status in o.responses if status < 400}
    never = described - server.api.seen - OF_THE_EXPIRED
    assert not never, f"described, and never given: {sorted(never)}"
    assert walk.get("/v1/audit/verify")["ok"]
