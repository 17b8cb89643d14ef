"""Every route of the compatible APIs gets every kind of bad input, from callers of every kind: the documented status, text and shape,
no 5xx, and nothing changed.

The table has a row for each route of docs/api/roles.md, so that a new route without one fails.  A row says a good body; each of its
members is then spoilt in turn."""

import copy
import http.client
import json
import os
import pathlib
import random
import re
import time
import urllib.parse

import pytest

from api import Caller
from test_bad_input import csr
from test_random_requests import HEADERS, Noise

TOP = pathlib.Path(__file__).resolve().parents[2]
RANDOM_S = 2
NOBODY = "11111111-1111-4111-8111-111111111111"
UNSEEN = "The request could not be completed because the credential does not exist or you do not have sufficient authorization."
UNREADABLE = ("The request could not be fulfilled because the request path or body did not meet expectation. Please check the documentation for "
              "required formatting and retry your request.")
UNKNOWN = "The request includes an unrecognized parameter '{}'. Please update or remove this parameter and retry your request."
FOREIGN = "The request could not be completed because the specified version does not exist or does not belong to the specified credential."
NO_PERMISSION = "The request includes a permission that does not exist."
BROKEN_BODIES = (b"{", b"[]", b'"x"', b"7", b"{} x", b'{"a":' * 3000, b'{"name":"\xff\xfe"}', b"{'name':1}", b'{"name"', b"\x00")
WRONG = {  # by what a member is: values that are none
    "text": (5, True, [], {}), "flag": ("yes", 1, [], {}), "int": ("x", 1.5, True, [], {}), "texts": ("x", 5, {}, [5], [[]]),
    "object": ("x", 5, [], True), "products": (5, "some", {}, True, [5]),
}

# -- the table: method and path, a good body, what each member of it is ("": a text) ------------------------------------------------

PARAMETERS = {"common_name": "w.example", "organization": "o", "organization_unit": "u", "locality": "l", "state": "s", "country": "CH", "ca": "/w/ca",
              "key_type": "ec-p256", "alternative_names": ["w.example"], "key_usage": ["digital_signature"], "extended_key_usage": ["server_auth"],
              "key_length": 2048, "duration": 30, "is_ca": False, "self_sign": False}
VALUE = {"certificate": "x", "private_key": "y", "ca": "", "ca_name": ""}
KINDS = {"alternative_names": "texts", "key_usage": "texts", "extended_key_usage": "texts", "key_length": "int", "duration": "int", "is_ca": "flag",
         "self_sign": "flag", "regenerate": "flag", "overwrite": "flag", "metadata": "object", "parameters": "object", "value": "object",
         "set_as_transitional": "flag", "allow_transitional_parent_to_sign": "flag", "transitional": "flag", "operations": "texts",
         "exclude_from_rotation": "texts", "skip_safety_check": "flag", "domains": "texts", "deploy_products": "products"}
CERTIFICATES = "/api/v1/certificates"
CREDHUB = {  # the good body, or None: a route without one
    "GET /info": None, "GET /health": None, "GET /version": None, "GET /api/v1/key-usage": None,
    "GET /api/v1/data": None, "GET /api/v1/data/{id}": None, "DELETE /api/v1/data": None,
    "POST /api/v1/data": {"name": "/w/new", "type": "certificate", "mode": "converge", "regenerate": False, "overwrite": None, "metadata": {},
                          "parameters": PARAMETERS},
    "PUT /api/v1/data": {"name": "/w/set", "type": "certificate", "value": VALUE, "metadata": {}},
    "POST /api/v1/regenerate": {"name": "/w/leaf", "metadata": {}},
    "POST /api/v1/bulk-regenerate": {"signed_by": "/w/ca"},
    f"GET {CERTIFICATES}": None, f"GET {CERTIFICATES}/{{id}}/versions": None,
    f"POST {CERTIFICATES}/{{id}}/versions": {"value": VALUE, "transitional": True},
    f"DELETE {CERTIFICATES}/{{id}}/versions/{{version}}": None,
    f"POST {CERTIFICATES}/{{id}}/regenerate": {"set_as_transitional": True, "allow_transitional_parent_to_sign": False, "key_length": 2048, "duration": 30,
                                              "metadata": {}},
    f"PUT {CERTIFICATES}/{{id}}/update_transitional_version": {"version": "latest"},
    "POST /api/v2/permissions": {"path": "/w/*", "actor": "uaa-client:w-app", "operations": ["read"]},
    "GET /api/v2/permissions": None, "GET /api/v2/permissions/{id}": None, "DELETE /api/v2/permissions/{id}": None,
    "PUT /api/v2/permissions/{id}": {"path": "/w/*", "actor": "uaa-client:w-app", "operations": ["read"]},
    "PATCH /api/v2/permissions/{id}": {"operations": ["read"]},
}
AUTHORITIES = "/api/v0/certificate_authorities"
ORDER = {"skip_safety_check": False}
OPSMANAGER = {
    "GET /api/v0/info": None, f"GET {AUTHORITIES}": None,
    f"POST {AUTHORITIES}": {"cert_pem": "x", "private_key_pem": "y", "exclude_from_rotation": [], **ORDER},
    f"POST {AUTHORITIES}/generate": {"exclude_from_rotation": [], **ORDER},
    f"POST {AUTHORITIES}/active/regenerate": ORDER, f"POST {AUTHORITIES}/{{guid}}/activate": ORDER, f"DELETE {AUTHORITIES}/{{guid}}": ORDER,
    "GET /api/v0/security/root_ca_certificate": None, "GET /api/v0/deployed/certificates": None, "GET /api/v1/deployed/certificates": None,
    "GET /api/v0/deployed/products": None, "GET /api/v0/staged/products": None,
    "POST /api/v0/certificates/generate": {"domains": ["w.example"]},
    "GET /api/v0/installations": None, "POST /api/v0/installations": {"deploy_products": "all"},
    "GET /api/v0/installations/{id}": None, "GET /api/v0/installations/{id}/logs": None,
    "GET /api/v0/settings/ssl_certificate": None, "PUT /api/v0/settings/ssl_certificate": {"certificate": "x", "private_key": "y"},
    "DELETE /api/v0/settings/ssl_certificate": None,
}
OPEN = {"GET /info", "GET /health", "GET /api/v0/info"}  # without credentials
QUERIES = {  # bad ones of single routes: a query, the status
    "GET /api/v1/data": (("", 400), ("?name=", 400), ("?name=/w/ca&versions=0", 400), ("?name=/w/ca&versions=x", 400), ("?name=/w/ca&current=x", 400),
                         ("?path=/w&expires-within-days=x", 400), ("?path=/w&expires-within-days=-1", 400), ("?name=/w/ca&current=true&versions=1", 400),
                         ("?name=/" + "x" * 1100, 404), ("?name=%00", 400), ("?name=%zz", 400), ("?name=/w/none", 404)),
    "DELETE /api/v1/data": (("", 400), ("?name=", 400), ("?name=/w/none", 404), ("?name=/" + "x" * 1100, 404), ("?name=/w/ca", 400)),
    f"GET {CERTIFICATES}": (("?name=/w/none", 404), ("?name=/" + "x" * 1100, 404), ("?name=%ff%00", 400)),
    "GET /api/v2/permissions": (("", 400), ("?path=/w/ca", 400), ("?actor=x", 400), ("?path=/w/ca&actor=x", 404), ("?path=/" + "x" * 1100 + "&actor=x", 404)),
    "GET /api/v0/deployed/certificates": (("?expires_within=x", 400), ("?expires_within=99999d", 400), ("?other=1", 400), ("?expires_within=%00", 400)),
    "GET /api/v1/deployed/certificates": (("?expires_within=0d", 400), ("?no_cache=x", 400), ("?show_excluded_from_rotation_only=x", 400)),
    f"POST {AUTHORITIES}/active/regenerate": (("?wait=x", 400), ("?skip_safety_check=x", 400), ("?other=1", 400)),
    f"POST {AUTHORITIES}/generate": (("?skip_safety_check=2", 400),),
}


def is_change(route):
    return not route.startswith("GET ")


# -- who asks, and how an answer looks --------------------------------------------------------------------------------------------


class Api:
    """One of the two APIs, with an administrator, somebody who may only look, and somebody of another API."""

    def __init__(self, server, facade):
        made = {role: server.cli.json("principal", "add", f"w-{facade}-{role}", "--role", role, "--facade", facade)["token"] for role in ("admin", "auditor")}
        self.server, self.facade = server, facade
        self.who = {role: Caller(server, {"Authorization": f"Bearer {token}"}) for role, token in made.items()}
        self.who.update(nobody=Caller(server, {}), other=Caller(server), unknown=Caller(server, {"Authorization": "Bearer x"}))
        self.asked = 0

    def send(self, send, body=None, who="admin", kind="application/json"):
        """(status, reply) of a refusal, in this API's shape."""
        method, _, path = send.partition(" ")
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        status, text, got = self.who[who].send(method, path, raw, {"Content-Type": kind} if kind else {})
        said = f"{who}: {send[:300]} {raw[:300] if raw else raw!r} -> {status} {text[:300]!r}"
        self.asked += 1
        assert 400 <= status < 500, said
        if status == 404 and not text and self.facade == "credhub":
            return status, None  # a method that is not there
        assert got["Content-Type"] == "application/json", said
        reply = json.loads(text)
        if self.facade == "credhub":
            assert list(reply) in (["error"], ["error", "error_description"]) and (len(reply) == 2) == (status == 401), said
            assert all(isinstance(t, str) and t for t in reply.values()), said
        else:
            inner = reply["errors"]["errors"] if status in (400, 401, 403) else reply["errors"]
            assert list(reply) == ["errors"] and inner and all(isinstance(t, str) and t for t in inner), said
        return status, reply

    def refused(self, status, send, body=None, error=None, **kwargs):
        got, reply = self.send(send, body, **kwargs)
        assert got == status and (error is None or reply["error"] == error), f"{send[:300]} {str(body)[:300]}: {got} {reply}, not {status} {error or ''}"
        return reply

    def state(self):
        """What may not change."""
        return [self.server.cli.ok(*words, "-o", "json") for words in (("audit", "list"), ("authority", "list"), ("credential", "list"), ("rotation", "list"))]


@pytest.fixture(scope="module")
def world(server):
    """A CA and two leaves, and their ids."""
    server.cli.json("principal", "add", "w-app", "--role", "operator", "--scope", "none", "--facade", "credhub")
    apis = {facade: Api(server, facade) for facade in ("credhub", "opsmanager")}

    def generate(name, **parameters):
        body = {"name": name, "type": "certificate", "parameters": {"common_name": "w.example", "key_type": "ec-p256", **parameters}}
        status, text, _ = apis["credhub"].who["admin"].send("POST", "/api/v1/data", json.dumps(body).encode(), {"Content-Type": "application/json"})
        assert status == 200, text
        return json.loads(text)["id"]
    apis["ca"], apis["leaf"] = generate("/w/ca", is_ca=True), generate("/w/leaf", ca="/w/ca")
    status, text, _ = apis["credhub"].who["admin"].send("GET", "/api/v1/certificates?name=/w/ca")
    apis["id"] = json.loads(text)["certificates"][0]["id"]
    return apis


def put_in(world, route):
    """A path whose ids are there."""
    if route.split()[1].startswith("/api/v2"):
        return route.replace("{id}", NOBODY)
    if "installations" in route:
        return route.replace("{id}", "1")
    at = world["ca"] if "/data/" in route else world["id"]
    return route.replace("{id}", at).replace("{version}", world["ca"]).replace("{guid}", world["ca"])


def members(body, prefix=()):
    """Where each member of a good body is."""
    for name, value in body.items():
        yield (*prefix, name)
        if isinstance(value, dict):
            yield from members(value, (*prefix, name))


def spoilt(body, at, value):
    """The same body with another member."""
    out = copy.deepcopy(body)
    inner = out
    for name in at[:-1]:
        inner = inner[name]
    inner[at[-1]] = value
    return {k: v for k, v in out.items() if v is not None}


# -- the tests -------------------------------------------------------------------------------------------------------------------------


def test_every_route_has_a_row():
    text = (TOP / "docs/api/roles.md").read_text()
    routes = {r for r in re.findall(r"^\| `([A-Z]+ /(?:api/|info|health|version)[^`]*)` \|", text, re.M) if "*}" not in r}
    assert routes == {*CREDHUB, *OPSMANAGER}


@pytest.mark.parametrize("facade, table", (("credhub", CREDHUB), ("opsmanager", OPSMANAGER)), ids=("credhub", "opsmanager"))
def test_who_may_not(world, facade, table):
    """No credentials, unknown ones, another API's: 401.  Who may only look and asks for a change: refused, and not told what there is."""
    api = world[facade]
    before = api.state()
    for route in table:
        send, body = put_in(world, route), table[route]
        for who in ("nobody", "unknown", "other") if route not in OPEN else ():
            reply = api.refused(401, send, body, who=who)
            assert facade != "credhub" or reply["error"] == ("access_denied" if who == "nobody" else "invalid_token"), reply
        if not is_change(route):
            continue
        body = body and spoilt(body, ("overwrite",), None) if facade == "credhub" else body
        if route == "DELETE /api/v1/data":
            send += "?name=/w/leaf"
        hidden = facade == "credhub" and route.startswith("DELETE /api/v1/")
        reply = api.refused(404 if hidden else 403, send, body_that_passes(route, body), who="auditor")
        assert facade != "credhub" or reply["error"] == UNSEEN, reply
    assert api.state() == before


def body_that_passes(route, body):
    """What is refused by its form is refused before it is asked who sent it."""
    if route == "POST /api/v1/data":
        return {"name": "/w/new", "type": "certificate", "parameters": {"common_name": "w.example", "ca": "/w/ca", "key_type": "ec-p256"}}
    if body and "key_length" in body:
        return {}
    return body


@pytest.mark.parametrize("facade, table", (("credhub", CREDHUB), ("opsmanager", OPSMANAGER)), ids=("credhub", "opsmanager"))
def test_bodies(world, facade, table):
    """What is no JSON object, what is marked as something else, an unknown member, and each member of each wrong type."""
    api = world[facade]
    before = api.state()
    for route, body in table.items():
        if body is None:
            continue
        send = put_in(world, route)
        for broken in BROKEN_BODIES:
            api.refused(400, send, broken, UNREADABLE if facade == "credhub" else None)
        if facade == "credhub":
            for kind in ("text/plain", "application/x-www-form-urlencoded", ";", "multipart/form-data"):
                api.refused(400, send, body, UNREADABLE, kind=kind)
        strict = 422 if facade == "credhub" and route != "POST /api/v1/data" else 400
        for at in [("zz",), *((m, "zz") for m in ("parameters", "value") if m in body)]:
            api.refused(strict, send, spoilt(body, at, 1), UNKNOWN.format("zz") if facade == "credhub" else None)
        for at in members(body):
            for value in WRONG[KINDS.get(at[-1], "text")] if at[0] != "metadata" or len(at) == 1 else ():
                reply = json.dumps(api.refused(400, send, spoilt(body, at, value)))
                assert at[-1] in reply or at[-1] == "value" and UNREADABLE in reply or at[-1] == "parameters" and UNREADABLE in reply, (at, value, reply)
    assert api.state() == before


@pytest.mark.parametrize("facade, table", (("credhub", CREDHUB), ("opsmanager", OPSMANAGER)), ids=("credhub", "opsmanager"))
def test_paths_and_queries(world, facade, table):
    """Ids that are none, that nobody has, another's, over-long, unreadable; bad queries; a change that is only to be tried."""
    api = world[facade]
    before = api.state()
    for route, body in table.items():
        sane = body_that_passes(route, body)
        for hole, status in (("{id}", 404), ("{version}", 400), ("{guid}", 404)):
            for bad in ("no-uuid", NOBODY, "x" * 2000, "%20", "0", "latest", "-1") if hole in route else ():
                other = put_in(world, route.replace(hole, bad))
                texts = {"{version}": FOREIGN, "{id}": NO_PERMISSION if "/api/v2" in route else UNSEEN}
                api.refused(status, other, sane, texts.get(hole) if facade == "credhub" else None)
            for bad in ("%00", "%zz", "%0", "..", "%2e%2e") if hole in route else ():
                api.refused(400, put_in(world, route.replace(hole, bad)), sane)
            assert hole not in route or api.send(put_in(world, route.replace(hole, "%2f")), sane)[0] in (400, 404)  # other segments
        for query, status in QUERIES.get(route, ()):
            api.refused(status, route + query)
        if is_change(route):
            api.refused(400, put_in(world, route) + "?dry_run=true", sane)
    if facade == "credhub":
        for version in (world["leaf"], NOBODY, "no-uuid", "x" * 300):
            api.refused(400, f"PUT {CERTIFICATES}/{world['id']}/update_transitional_version", {"version": version}, FOREIGN)
        api.refused(400, f"DELETE {CERTIFICATES}/{world['id']}/versions/{world['leaf']}", None, FOREIGN)
    assert api.state() == before


def test_names(world):
    """Over-long ones, and such as are none, wherever a body holds one."""
    api = world["credhub"]
    before = api.state()
    for bad in ("/" + "x" * 1100, "/w/" + "x" * 250, "//", "/w//x", "/w/\u00e9", "/troth/x", "/w/../x", "/w/a b"):
        for send, body in (("POST /api/v1/data", body_that_passes("POST /api/v1/data", None)),
                           ("PUT /api/v1/data", {"type": "certificate", "value": {"certificate": "x"}})):
            api.refused(400, send, {**body, "name": bad})
        for send, body in (("POST /api/v1/regenerate", {"name": bad}), ("POST /api/v1/bulk-regenerate", {"signed_by": bad}),
                           ("POST /api/v2/permissions", {"path": bad, "actor": "uaa-client:w-none", "operations": ["read"]})):
            assert api.send(send, body)[0] in (400, 404)
    assert api.state() == before


@pytest.mark.parametrize("kind", ("value", "json", "password", "user", "ssh", "rsa"))
def test_other_types(world, kind):
    """As the CLI asks for them."""
    api = world["credhub"]
    before = api.state()
    text = f"troth keeps certificates only: a credential of type '{kind}' cannot be kept here"
    user = {"value": {"username": "u"}} if kind == "user" else {}
    api.refused(400, "POST /api/v1/data", {"name": "/w/other", "type": kind, "overwrite": True, "parameters": {"length": 20, "exclude_upper": True}, **user}, text)
    for value in ("x", {"username": "u", "password": "p"}, {"public_key": "x", "private_key": "y"}):
        api.refused(400, "PUT /api/v1/data", {"name": "/w/other", "type": kind, "value": value}, text)
    assert api.state() == before


def test_more_than_is_read(world):
    """413 in the shape of each API, before anybody knows whose it is."""
    for facade, path, shape in (("credhub", "/api/v1/data", ["error"]), ("opsmanager", AUTHORITIES, ["errors"])):
        status, reply, kind = world[facade].server.curl("POST", path, "x" * 1100000, token=None, held=False)
        assert status == 413 and list(reply) == shape and kind == "application/json", (status, reply, kind)


def test_an_app_by_its_certificate(world, tmp_path):
    """OU=app:UUID is who calls, with the permissions that it was given; a certificate of somebody else is nobody, in the documented words."""
    server, app = world["credhub"].server, "8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f"

    def with_certificate(name, *words):
        key, request = csr(tmp_path, name)
        (tmp_path / f"{name}.req").write_text(request)
        made = server.cli.json("principal", "add", *words, "--csr-file", str(tmp_path / f"{name}.req"))
        (tmp_path / f"{name}.pem").write_text(made["certificate"] + made["chain"])
        return Caller(server, cert=(str(tmp_path / f"{name}.pem"), str(key)))
    caller = with_certificate("app", "--app", app, "--role", "operator", "--scope", "none")
    assert json.loads(caller.send("GET", "/version")[1]) == {"version": "2.15.20"}
    assert caller.send("GET", "/api/v1/data?name=/w/leaf")[0] == 404
    given = json.dumps({"path": "/w/leaf", "actor": f"mtls-app:{app}", "operations": ["read"]}).encode()
    status, text, _ = world["credhub"].who["admin"].send("POST", "/api/v2/permissions", given, {"Content-Type": "application/json"})
    assert status == 201 and json.loads(text)["actor"] == f"mtls-app:{app}", text
    status, text, _ = caller.send("GET", "/api/v1/data?name=/w/leaf&current=true")
    assert status == 200 and "PRIVATE KEY" in json.loads(text)["data"][0]["value"]["private_key"]
    assert [c["name"] for c in json.loads(caller.send("GET", "/api/v1/certificates")[1])["certificates"]] == ["/w/leaf"]
    status, text, _ = caller.send("POST", "/api/v1/regenerate", b'{"name":"/w/leaf"}', {"Content-Type": "application/json"})
    assert (status, json.loads(text)) == (403, {"error": UNSEEN})
    status, text, _ = with_certificate("somebody", "w-somebody", "--role", "admin").send("GET", "/api/v1/certificates")
    assert (status, json.loads(text)) == (401, {"error": "The provided authentication mechanism does not provide a valid identity. Please contact "
                                                         "your system administrator."})


def random_request(noise, world, route, body):
    """The route's own, with an id, a member, the query, a header or the bytes spoilt; what it asks for may even be right."""
    method, _, path = route.partition(" ")
    parts = [urllib.parse.quote(noise.text(), safe="", errors="replace") if p.startswith("{") and noise.often(0.3) else p for p in path.split("/")]
    query = [(noise.r.choice(("name", "path", "name-like", "current", "versions", "expires-within-days", "actor", "expires_within", "no_cache", noise.text())),
              noise.text()) for _ in range(noise.r.choice((0, 0, 1, 2, 3)))]
    target = put_in(world, f"{method} {'/'.join(parts)}").partition(" ")[2] + ("?" + urllib.parse.urlencode(query, errors="replace") if query else "")
    for _ in range(noise.r.choice((1, 1, 2, 3)) if body else 0):
        body = spoilt(body, (noise.r.choice(list(body) or ["x"]),), noise.anything()) if noise.often(0.5) else spoilt(
            body, noise.r.choice([at for at in members(body) if len(at) < 2 or at[-1] != "key_type"] or [("x",)]), noise.anything())
        body = body or {"name": noise.text()}
    raw = json.dumps(body, ensure_ascii=noise.often(0.5)).encode("utf-8", "surrogatepass") if body else noise.r.choice((b"", b"null", b"{}", b"[]"))
    if noise.often(0.2) and raw:
        raw = bytearray(raw)
        raw[noise.r.randrange(len(raw))] = noise.r.randrange(256)
    headers = {k: noise.r.choice(v).encode() for k, v in HEADERS.items() if k != "Authorization" and noise.often(0.04)}
    return method, target, bytes(raw), {"Content-Type": b"application/json", "X-Troth-Force": noise.r.choice((b"true", b"x")), **headers}


def test_random_requests(world):
    """None of them is a 5xx, or takes long, or is answered in another API's shape."""
    seed, count, seen = int(os.environ.get("TROTH_SEED", 1)), 0, set()
    noise = Noise(random.Random(seed).random(), None, [world["ca"], world["leaf"], world["id"], NOBODY, "/w/ca", "/w/leaf"])
    table = [(facade, route, body) for facade, rows in (("credhub", CREDHUB), ("opsmanager", OPSMANAGER)) for route, body in rows.items()]
    end = time.monotonic() + RANDOM_S
    while time.monotonic() < end:
        facade, route, body = noise.r.choice(table)
        method, target, raw, headers = random_request(noise, world, route, copy.deepcopy(body))
        said, began = f"TROTH_SEED={seed}, request {count}: {method} {target} {headers} {raw[:1500]!r}", time.monotonic()
        try:
            status, text, got = world[facade].who["admin"].send(method, target, raw, headers)
        except (OSError, http.client.HTTPException) as e:
            raise AssertionError(f"{said}\n{e!r}\n{world[facade].server.logged()[-3000:]}") from e
        assert 200 <= status < 500, f"{said}\n{status} {text[:500]!r}"
        assert time.monotonic() - began < 10, f"{said}: took long"
        if status >= 400 and text and status not in (414, 417, 431):  # the head was refused as a whole
            assert ("error" if facade == "credhub" else "errors") in json.loads(text), f"{said}\n{status} {text[:500]!r}"
        count += 1
        seen.add(status)
    print(f"{count} requests, {sorted(seen)}")
    assert world["credhub"].server.process.poll() is None and {200, 400, 404} <= seen, (count, seen)
