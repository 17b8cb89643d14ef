"""Every route of the native API gets random parameters and bodies, from callers of every kind: no 5xx, no crash, no hang.

TROTH_SEED=N repeats a run; the seed stands in every failure."""

import http.client
import json
import os
import random
import re
import ssl
import time
import urllib.parse
import uuid

from fleet import TOP
from test_bad_input import FakeAgent, world  # noqa: F401  (a fixture)

SECONDS = 8
ROUTE = re.compile(r'\{ HTTP_([A-Z]+), "(/v1[^"]*)"')
WORDS = ("name", "authority", "authorities", "bundle", "certificates", "alias", "pem", "source", "slots", "stores", "profile", "credential",
         "sans", "role", "key_type", "key_source", "ttl", "parameters", "common_name", "organization", "issuer", "path_len", "permitted_dns",
         "exportable", "clamp", "csr", "deployment", "instance", "token", "boot_id", "agent_version", "epoch", "targets", "session", "seq",
         "target", "request", "generation", "high_water", "loaded_generation", "level", "settled", "fingerprints", "failed", "found", "reason",
         "text", "drift", "id", "slot", "store", "again", "ignore_outside", "leaf_ttl")
QUERIES = ("limit", "after", "wait", "name", "deployment", "instance", "state", "kind", "object", "dry_run", "session", "x")
NUMBERS = (0, 1, -1, 2, 200, 201, 2**31, -2**31, 2**53, 2**53 + 1, 2**63 - 1, -2**63, 2**63, 2**64, 10**30, 1.5, -0.0, 1e308)
WAITS = ("10ms", "10ms", "0", "-1", "", "soon", "1e3", "9" * 30, "9" * 18 + "d")  # none that is held for long
TEXTS = ("", " ", "/", "/a", "/bad/ca", "/bad/trust", "/troth/server", "/a/../b", "bad", "a b", "a\r\nX: y", "a\u0000b", "\ud83d\ude00", "é" * 90,
         "x" * 63, "x" * 64, "x" * 201, "x" * 5000, "{instance}", "{instance", "%s%n%x", "'; DROP TABLE audit; --", "*", "$.name", "server",
         "client", "probe", "loaded", "ec-p256", "rsa-4096", "ed25519", "pem-files", "agent", "keeper", "90d", "1ms", "0s", "-1d",
         "99999999999999d", "9223372036854775807ms", "ip:::1", "ip:1.2.3", "uri:x://y", "dns:*.x", "true", "null", "0" * 64, "f" * 64,
         "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")


class Noise:
    def __init__(self, seed, ids):
        self.r, self.ids = random.Random(seed), ids

    def text(self):
        r = self.r
        if r.random() < 0.25 and self.ids:
            return r.choice(self.ids)
        if r.random() < 0.1:
            return "".join(chr(r.choice((r.randrange(1, 128), r.randrange(0x80, 0xD800)))) for _ in range(r.randrange(40)))
        return r.choice(TEXTS)

    def value(self, depth=0):
        r, kind = self.r, self.r.random()
        if kind < 0.45 or depth > 5:
            return self.text()
        if kind < 0.65:
            return r.choice(NUMBERS)
        if kind < 0.75:
            return r.choice((True, False, None))
        if kind < 0.87:
            return [self.value(depth + 1) for _ in range(r.choice((0, 1, 1, 2, 3, 70)))]
        return self.object(depth + 1)

    def object(self, depth=0):
        return {self.r.choice(WORDS): self.value(depth) for _ in range(self.r.randrange(7))}

    def body(self, like):
        r, kind = self.r, self.r.random()
        if kind < 0.5 and like:  # nearly right: one or two members of a good body are not
            good = json.loads(json.dumps(like))
            for _ in range(r.randrange(3)):
                good[r.choice(list(good) or ["name"])] = self.value()
            return json.dumps(good).encode()
        if kind < 0.9:
            return json.dumps(self.object()).encode()
        text = bytearray(json.dumps(self.object()).encode())  # broken in one byte, or cut
        if text and r.random() < 0.5:
            text[r.randrange(len(text))] = r.randrange(256)
        return bytes(text[:r.randrange(len(text) + 1)])

    def path(self, pattern):
        parts = [urllib.parse.quote(self.text(), safe="", errors="replace") if p.startswith("{") else p for p in pattern.split("/")]
        query = {self.r.choice(QUERIES): self.r.choice((self.text(), str(self.r.choice(NUMBERS)))) for _ in range(self.r.randrange(4))}
        if "wait" in query:
            query["wait"] = self.r.choice(WAITS)
        return "/".join(parts) + ("?" + urllib.parse.urlencode(query, errors="replace") if query else "")

    def headers(self):
        r = self.r
        h = {"Content-Type": r.choice(["application/json"] * 6 + ["text/plain", "application/merge-patch+json", ";"])}
        if r.random() < 0.1:
            h["If-Match"] = r.choice(('"1"', "*", "1", '"', "W/", '"' + "9" * 30 + '"'))
        if r.random() < 0.1:
            h["Idempotency-Key"] = r.choice(("k", "k2", "x" * 201, "a b"))
        return h


def routes():
    """All but the one that would delete our own agent."""
    found = {r for f in (TOP / "src/facade/native").glob("*.c") for r in ROUTE.findall(f.read_text())}
    assert len(found) > 50, "the route tables look different from what this test reads"
    return sorted(found - {("DELETE", "/v1/instances/{id}")})


GOOD = {
    "/v1/authorities": {"name": "/bad/x", "ttl": "30d"},
    "/v1/bundles": {"name": "/bad/b", "authorities": ["/bad/ca"], "certificates": []},
    "/v1/credentials": {"name": "/bad/c", "authority": "/bad/ca", "sans": ["x.example"]},
    "/v1/deployments": {"name": "bad2", "slots": [], "stores": [{"name": "trust", "profile": "pem-files", "bundle": "/bad/trust"}]},
    "/v1/tokens": {"deployment": "bad", "instance": "i"},
    "/v1/rotations": {"name": "/bad/ca", "again": True},
    "/v1/agent/session": {"boot_id": "b", "agent_version": "t", "epoch": "1", "targets": []},
    "/v1/agent/report": {"session": 1, "seq": 1, "target": "", "generation": 0, "high_water": 0, "level": "loaded", "settled": True,
                         "fingerprints": []},
    "/v1/agent/csr": {"session": 1, "target": "", "request": "", "csr": ""},
    "/v1/agent/enroll": {"token": "", "csr": "", "boot_id": "b", "agent_version": "t"},
}


class Caller:
    """One kept-alive connection of an administrator, an agent, or nobody."""

    def __init__(self, server, headers, cert=None):
        self.server, self.own, self.cert, self.link = server, headers, cert, None

    def call(self, method, path, body, headers):
        for attempt in (1, 2):
            try:
                if not self.link:
                    context = ssl.create_default_context(cafile=str(self.server.dir / "ca.pem"))
                    if self.cert:
                        context.load_cert_chain(*self.cert)
                    self.link = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=15, context=context)
                self.link.request(method, path, body, {**headers, **self.own})
                reply = self.link.getresponse()
                return reply.status, reply.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.link = None  # an idle connection may be closed under us, once
                if attempt == 2:
                    raise


def good_body(pattern, agent, targets):
    like = GOOD.get(pattern)
    if like and "session" in like:
        like = {**like, "session": agent.session, "seq": time.monotonic_ns()}
        like["target"] = random.choice(targets)
    return like


def test_random_requests_find_nothing(world, tmp_path):
    seed = int(os.environ.get("TROTH_SEED", 1))  # the same in every run; give others to look for more
    agent = FakeAgent(world, tmp_path, "noisy").open()
    targets = [t["id"] for t in agent.desired()["targets"]]
    ids = [agent.id, *targets, str(uuid.uuid4())]
    for path in ("/v1/authorities", "/v1/bundles", "/v1/deployments", "/v1/credentials", "/v1/tokens"):
        ids += [item["id"] for item in world.curl("GET", path)[1]["items"]]
    noise, table = Noise(seed, ids), routes()
    random.seed(seed)
    admin = Caller(world, {"Authorization": f"Bearer {world.token}"})
    callers = [admin, admin, Caller(world, {}, (str(agent.cert), str(agent.key))), Caller(world, {}), Caller(world, {"Authorization": "Bearer x"})]
    end, count, seen = time.monotonic() + SECONDS, 0, set()
    while time.monotonic() < end:
        method, pattern = table[count % len(table)] if count < 2 * len(table) else noise.r.choice(table)
        caller = callers[2] if pattern.startswith("/v1/agent/") and noise.r.random() < 0.8 else noise.r.choice(callers)
        path = noise.path(pattern)
        body = noise.body(good_body(pattern, agent, targets)) if method not in ("GET", "DELETE") else None
        said = f"TROTH_SEED={seed}, request {count}: {method} {path} {body!r}"
        began = time.monotonic()
        try:
            status, reply = caller.call(method, path, body, noise.headers() if body else {})
        except (OSError, http.client.HTTPException) as e:
            raise AssertionError(f"{said}\n{e!r}\n{world.logged()[-3000:]}") from e
        assert 200 <= status < 500, f"{said}\n{status} {reply[:500]!r}"
        assert time.monotonic() - began < 10, f"{said}: took long"
        if status >= 400:
            assert json.loads(reply)["status"] == status, f"{said}\n{reply!r}"
        if pattern == "/v1/agent/session" and status == 201:
            agent.session = json.loads(reply)["session"]
        count += 1
        seen.add(status)
    assert world.process.poll() is None and world.curl("GET", "/v1/health")[0] == 200, f"TROTH_SEED={seed}\n{world.logged()[-3000:]}"
    assert world.curl("GET", "/v1/audit/verify")[1]["ok"], f"TROTH_SEED={seed}"
    assert count > 300 and {200, 400, 401, 403, 404} <= seen, (seed, count, seen)
