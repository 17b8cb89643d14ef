"""CredHub's API for certificates: stories of calls and replies (golden/credhub), sent to a real server and compared whole."""

import datetime
import http.client
import json
import os
import pathlib
import re
import ssl
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from test_memory import scan

GOLDEN = pathlib.Path(__file__).parent / "golden" / "credhub"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def issued(pem, by):
    cert, issuer = (x509.load_pem_x509_certificate(p.encode()) for p in (pem, by))
    issuer.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm))
    return cert.issuer == issuer.subject


class Client:
    """Calls as the credhub CLI makes them, by curl."""

    def __init__(self, server):
        self.server = server
        self.tokens = {"nobody": None, "native": server.token}
        for name, role, *scope in (("operator", "operator"), ("admin", "admin"), ("reader", "auditor"), ("app", "operator", "--scope", "none"),
                                   ("friend", "operator", "--scope", "none")):
            made = server.cli.json("principal", "add", f"ch-{name}", "--role", role, *scope, "--facade", "credhub")
            self.tokens[name] = made["token"]

    def call(self, send, raw=None, who="operator", headers=()):
        method, _, path = send.partition(" ")
        args = ["-H", "Content-Type: application/json"] if raw is None else []
        for h in headers:
            args += ["-H", h]
        return self.server.curl(method, path, raw, token=self.tokens[who], args=args, held=False)

    def json(self, send, body=None, status=200, **kwargs):
        got, reply, _ = self.call(send, None if body is None else json.dumps(body), **kwargs)
        assert got == status, f"{send}: {got} {reply}"
        return reply


class Story:
    def __init__(self, client):
        self.client, self.bound, self.own = client, {}, {}

    def put_in(self, text):
        text = re.sub(r"\$own:(\w+)\.(certificate|key)", lambda m: json.dumps(self.own_ca(m.group(1))[m.group(2)])[1:-1], text)
        text = re.sub(r"\$leaf:([\w-]+)@(\w+)\.(\w+)", lambda m: json.dumps(self.own_leaf(m.group(1), m.group(2))[m.group(3)])[1:-1], text)
        text = re.sub(r"\$pad:(\d+)", lambda m: "x" * int(m.group(1)), text)
        return re.sub(r"\$(id:[\w-]+)", lambda m: self.bound[m.group(1)], text)

    def own_ca(self, name):
        if name not in self.own:
            certificate, key = own_root(name)
            self.own[name] = {"certificate": certificate, "key": key}
            self.bind(f"pem:{name}", certificate)
        return self.own[name]

    def own_leaf(self, name, ca):
        """Signed by the CA that $own:CA is; some names say what is wrong with it."""
        if (name, ca) not in self.own:
            self.own_ca(ca)
            self.own[name, ca] = made_leaf(name, self.own[ca])
            self.bind(f"pem:{name}@{ca}", self.own[name, ca]["certificate"])
        return self.own[name, ca]

    def bind(self, name, value):
        kind, _, word = name.partition(":")
        if name not in self.bound:
            others = [v for k, v in self.bound.items() if k.startswith(kind)]
            assert not word[0].isupper() or value not in others, f"{name} is not another than those before"
            self.bound[name] = value
        assert self.bound[name] == value, f"{name} is {value}, and was {self.bound[name]}"

    def pems(self, names, value):
        found = CERTIFICATE.findall(value)
        assert "".join(found) == value and len(found) == len(names), f"{names}: {value}"
        for name, pem in zip(names, found):
            self.bind(f"pem:{name}", pem)

    def same(self, want, got, at):
        if isinstance(want, dict):
            assert isinstance(got, dict) and list(want) == list(got), f"{at}: {got}"
            for k, v in want.items():
                self.same(v, got[k], f"{at}.{k}")
            if want.get("private_key") == "$key":
                key = serialization.load_pem_private_key(got["private_key"].encode(), None)
                assert spki(key.public_key()) == spki(x509.load_pem_x509_certificate(got["certificate"].encode()).public_key()), at
        elif isinstance(want, list):
            assert isinstance(got, list) and len(want) == len(got), f"{at}: {got}"
            for i, v in enumerate(want):
                self.same(v, got[i], f"{at}[{i}]")
        elif isinstance(want, str) and want.startswith("$"):
            self.placeholder(want[1:], got, at)
        else:
            assert want == got and type(want) is type(got), f"{at}: {got!r}, not {want!r}"

    def placeholder(self, want, got, at):
        if want.startswith("id:"):
            assert UUID.fullmatch(got), f"{at}: {got}"
            self.bind(want, got)
        elif want.startswith("pem:"):
            self.pems(want[4:].split("+"), got)
        elif want == "count":
            assert isinstance(got, int) and got > 0, f"{at}: {got}"
        elif want == "list":
            assert isinstance(got, list), f"{at}: {got}"
        else:
            assert {"time": INSTANT.fullmatch, "text": str.strip, "key": re.compile("-----BEGIN (RSA|EC) PRIVATE KEY-----").match,
                    "url": self.client.server.url.__eq__}[want](got), f"{at}: {got}"

    def step(self, step):
        raw = step.get("raw", json.dumps(step["body"]) if "body" in step else None)
        status, reply, kind = self.client.call(self.put_in(step["send"]), None if raw is None else self.put_in(raw), step.get("as", "operator"))
        at = f"{step['send']} {raw or ''}"
        assert status == step["status"], f"{at}: {status} {reply}"
        if "error_has" in step:
            assert list(reply) == ["error"] and step["error_has"] in reply["error"], f"{at}: {reply}"
        for where, name in step.get("bind", {}).items():
            value = reply
            for word in where.split("."):
                value = value[word]
            self.placeholder(name[1:], value, at)
        if "reply" in step:
            self.same(step["reply"], reply if reply != "" else None, at)
            assert step["reply"] is None or kind.startswith("application/json"), kind


@pytest.fixture(scope="module")
def client(server):
    return Client(server)


@pytest.mark.parametrize("name", sorted(p.stem for p in GOLDEN.glob("*.json")))
def test_story(client, name):
    story = Story(client)
    for step in json.loads((GOLDEN / f"{name}.json").read_text()):
        if "send" in step:
            story.step(step)


def test_an_administrator_may_insist(client):
    """What is refused is said yes to, and is in the audit by name; who is no administrator may not."""
    ca = client.json("POST /api/v1/data", {"name": "/f/ca", "type": "certificate", "parameters": {"common_name": "f", "is_ca": True, "key_type": "ec-p256"}})
    client.json("POST /api/v1/data", {"name": "/f/leaf", "type": "certificate", "parameters": {"common_name": "f.example", "ca": "/f/ca", "key_type": "ec-p256"}})
    at = client.json("GET /api/v1/certificates?name=/f/ca")["certificates"][0]["id"]
    client.json(f"POST /api/v1/certificates/{at}/regenerate", {"set_as_transitional": True})
    client.json(f"PUT /api/v1/certificates/{at}/update_transitional_version", {"version": ca["id"]})
    force = {"headers": ["X-Troth-Force: true"]}
    client.json(f"PUT /api/v1/certificates/{at}/update_transitional_version", {"version": None}, 400)
    client.json(f"PUT /api/v1/certificates/{at}/update_transitional_version", {"version": None}, 403, **force)
    now = client.json(f"PUT /api/v1/certificates/{at}/update_transitional_version", {"version": None}, who="admin", **force)
    assert [v["transitional"] for v in now] == [False] and now[0]["id"] != ca["id"]
    audit = client.server.cli.json("audit", "list", "--object", "/f/ca")
    assert any(row["action"] == "authority.beside" and row["after"]["forced"] for row in audit["items"])


def test_an_administrator_may_delete_what_somebody_may_show(client):
    """A version of a leaf whose holder was not seen to have the next one: 400 with who; by force it goes, and so may the old CA then."""
    make = {"type": "certificate", "mode": "overwrite"}
    ca = client.json("POST /api/v1/data", {"name": "/g/ca", **make, "parameters": {"common_name": "g", "is_ca": True, "key_type": "ec-p256"}})
    old = client.json("POST /api/v1/data", {"name": "/g/leaf", **make, "parameters": {"common_name": "g.example", "ca": "/g/ca", "key_type": "ec-p256"}})
    root, leaf = (client.json(f"GET /api/v1/certificates?name={n}")["certificates"][0]["id"] for n in ("/g/ca", "/g/leaf"))
    client.json(f"POST /api/v1/certificates/{root}/regenerate", {"set_as_transitional": True})
    client.json(f"PUT /api/v1/certificates/{root}/update_transitional_version", {"version": ca["id"]})
    new = client.json("POST /api/v1/regenerate", {"name": "/g/leaf"})
    delete, force = f"DELETE /api/v1/certificates/{leaf}/versions/{old['id']}", {"headers": ["X-Troth-Force: true"]}
    assert "who took it may still show it" in client.json(delete, status=400)["error"]
    client.json(delete, status=404, **force)
    assert client.json(delete, who="admin", **force)["id"] == old["id"]
    assert [v["id"] for v in client.json(f"GET /api/v1/certificates/{leaf}/versions")] == [new["id"]]
    audit = client.server.cli.json("audit", "list", "--object", "/g/leaf")["items"]
    assert [row["after"]["forced"] for row in audit if row["action"] == "version.forget"] == [True]
    client.json(f"PUT /api/v1/certificates/{root}/update_transitional_version", {"version": None})


def test_parameters_are_in_the_certificate(client):
    """The whole subject in its order, and the usages that were asked for; the next version of a CA has the subject of the one before."""
    where = {"country": "CH", "state": "Bern", "locality": "Köniz"}
    make = {"type": "certificate", "mode": "overwrite"}
    ca = client.json("POST /api/v1/data", {"name": "/p/ca", **make, "parameters": {"common_name": "p", "is_ca": True, "key_type": "ec-p256", **where}})
    leaf = client.json("POST /api/v1/data", {"name": "/p/leaf", **make, "parameters": {
        "common_name": "p.example", "organization": "O", "organization_unit": "U", "ca": "/p/ca", **where, "key_usage": ["non_repudiation", "data_encipherment"]}})
    load = lambda made: x509.load_pem_x509_certificate(made["value"]["certificate"].encode())  # noqa: E731
    names = [(a.oid, a.value) for a in load(leaf).subject]
    assert names == [(NameOID.COUNTRY_NAME, "CH"), (NameOID.STATE_OR_PROVINCE_NAME, "Bern"), (NameOID.LOCALITY_NAME, "Köniz"),
                     (NameOID.ORGANIZATION_NAME, "O"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "U"), (NameOID.COMMON_NAME, "p.example")]
    usage = load(leaf).extensions.get_extension_for_class(x509.KeyUsage)
    asked = [usage.value.digital_signature, usage.value.content_commitment, usage.value.key_encipherment, usage.value.data_encipherment]
    assert usage.critical and asked == [True, True, False, True]
    assert load(client.json("POST /api/v1/regenerate", {"name": "/p/ca"})).subject == load(ca).subject
    again = load(client.json("POST /api/v1/regenerate", {"name": "/p/leaf"}))
    assert again.subject == load(leaf).subject and again.issuer == load(ca).subject
    assert again.extensions.get_extension_for_class(x509.KeyUsage).value == usage.value
    shown = client.server.cli.json("authority", "show", "/p/ca")
    assert {k: shown[k] for k in where} == where


def test_two_levels_end_with_the_new_chain(client):
    """The documented order: both CAs made anew beside the old ones, both flags moved, the leaf regenerated, both flags taken away."""
    make = {"type": "certificate"}
    root = client.json("POST /api/v1/data", {"name": "/t/root", **make, "parameters": {"common_name": "root", "is_ca": True, "key_type": "ec-p256"}})
    client.json("POST /api/v1/data", {"name": "/t/sub", **make, "parameters": {"common_name": "sub", "is_ca": True, "ca": "/t/root", "key_type": "ec-p256"}})
    client.json("POST /api/v1/data", {"name": "/t/leaf", **make, "parameters": {"common_name": "t.example", "ca": "/t/sub", "key_type": "ec-p256"}})
    ids = {c["name"]: c["id"] for c in client.json("GET /api/v1/certificates")["certificates"]}
    beside = lambda name, version: client.json(f"PUT /api/v1/certificates/{ids[name]}/update_transitional_version", {"version": version})  # noqa: E731
    current = lambda name: client.json(f"GET /api/v1/certificates/{ids[name]}/versions?current=true")  # noqa: E731
    new = client.json(f"POST /api/v1/certificates/{ids['/t/root']}/regenerate", {"set_as_transitional": True})
    came = client.json(f"POST /api/v1/certificates/{ids['/t/sub']}/regenerate", {"set_as_transitional": True, "allow_transitional_parent_to_sign": True})
    assert came["transitional"] and came["id"] == current("/t/sub")[1]["id"] and came["value"]["ca"].count("BEGIN") == 2
    early = client.json("POST /api/v1/regenerate", {"name": "/t/leaf"})
    assert early["value"]["ca"].startswith(current("/t/sub")[0]["value"]["certificate"]), "before the flags move the old chain signs"
    old = current("/t/sub")[0]["id"]
    beside("/t/root", root["id"])
    assert [(v["id"], v["transitional"]) for v in beside("/t/sub", old)] == [(came["id"], False), (old, True)]
    leaf = client.json("POST /api/v1/regenerate", {"name": "/t/leaf"})
    beside("/t/sub", None)
    beside("/t/root", None)
    sub = current("/t/sub")
    assert len(sub) == 1 and current("/t/root")[0]["id"] == new["id"] and len(current("/t/root")) == 1
    assert issued(leaf["value"]["certificate"], sub[0]["value"]["certificate"])
    assert issued(sub[0]["value"]["certificate"], new["value"]["certificate"])


def own_root(name, path_length=None, days=400):
    """A self-signed CA and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    common = 1500 * "\x01" if name == "endless" else name
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Own"), x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=days)).add_extension(x509.BasicConstraints(True, path_length), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True).sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    return cert.public_bytes(pem).decode(), key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()


def made_leaf(name, ca):
    """As PEM: certificate, chain (with its CA), and its key as key (PKCS#1 or SEC1), pkcs8, and encrypted."""
    load, pem = x509.load_pem_x509_certificate(ca["certificate"].encode()), serialization.Encoding.PEM
    signer = serialization.load_pem_private_key(ca["key"].encode(), None)
    key = rsa.generate_private_key(65537, 2048) if name == "rsa" else ec.generate_private_key(ec.SECP384R1() if name == "p384" else ec.SECP256R1())
    long = {"long": 70 * "\x01", "sublong": 70 * "y"}
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, long.get(name, name))])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    begin, end = {"expired": (-2 * day, -day), "early": (day, 2 * day)}.get(name, (-day / 24, 90 * day))
    build = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject if name == "alone" else load.subject).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now + begin).not_valid_after(now + end))
    if name.startswith("sub"):
        build = (build.add_extension(x509.BasicConstraints(True, None), True).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                 .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True))
    else:
        build = build.add_extension(x509.SubjectAlternativeName([x509.DNSName("no name\n" if name == "long" else f"{name}.example")]), False)
    cert = build.sign(key if name == "alone" else signer, hashes.SHA256()).public_bytes(pem).decode()
    out = lambda form, how: key.private_bytes(pem, form, how).decode()  # noqa: E731
    plain, forms = serialization.NoEncryption(), serialization.PrivateFormat
    return {"certificate": cert, "chain": cert + ca["certificate"], "key": out(forms.TraditionalOpenSSL, plain), "pkcs8": out(forms.PKCS8, plain),
            "encrypted": out(forms.PKCS8, serialization.BestAvailableEncryption(b"x"))}


def test_set_takes_a_ca_with_its_key(client):
    """As `credhub set` sends it; then it signs, is rotated like one that was made here, and its key is given to nobody."""
    cert, key = own_root("own")
    other = own_root("other")[1]
    body = {"name": "/s/ca", "type": "certificate", "value": {"ca": "", "ca_name": "", "certificate": cert, "private_key": key}}
    wrong = {**body, "value": {**body["value"], "private_key": other}}
    assert client.json("PUT /api/v1/data", wrong, 400) == {"error": "The provided certificate does not match the private key."}
    made = client.json("PUT /api/v1/data", body)
    assert list(made) == ["type", "version_created_at", "id", "name", "metadata", "expiry_date", "transitional", "certificate_authority",
                          "self_signed", "generated", "value"]
    assert made["value"] == {"ca": cert, "certificate": cert, "private_key": None} and not made["generated"] and made["self_signed"]
    leaf = client.json("POST /api/v1/data", {"name": "/s/leaf", "type": "certificate", "parameters": {"common_name": "s.example", "ca": "/s/ca", "key_type": "ec-p256"}})
    load = lambda pem: x509.load_pem_x509_certificate(pem.encode())  # noqa: E731
    assert issued(leaf["value"]["certificate"], cert)
    next_one = client.json("POST /api/v1/regenerate", {"name": "/s/ca"})
    assert next_one["generated"] and {a.rfc4514_string() for a in load(next_one["value"]["certificate"]).subject.rdns} == {"O=Own", "CN=own"}
    assert client.json("PUT /api/v1/data", {**body, "name": "/s/again"}, 400)["error"].startswith("this certificate is version")


@pytest.mark.release_only
@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory: needs root")
def test_a_key_that_was_set_is_gone_after_the_reply(client):
    """Of a CA, of a leaf under a name and as the next version by id, also after it was given out again."""
    cert, key = own_root("gone")
    ca = {"certificate": cert, "key": key}
    client.json("PUT /api/v1/data", {"name": "/gone/ca", "type": "certificate", "value": {"certificate": cert, "private_key": key}})
    first, second = made_leaf("first", ca), made_leaf("second", ca)
    value = lambda x: {"certificate": x["certificate"], "private_key": x["pkcs8"], "ca_name": "/gone/ca"}  # noqa: E731
    made = client.json("PUT /api/v1/data", {"name": "/gone/leaf", "type": "certificate", "value": value(first)})
    at = client.json("GET /api/v1/certificates?name=/gone/leaf")["certificates"][0]["id"]
    client.json(f"POST /api/v1/certificates/{at}/versions", {"value": value(second)})
    given = client.json("GET /api/v1/data?name=/gone/leaf")["data"]
    assert [v["value"]["private_key"] for v in given] == [second["key"], first["key"]] and made["value"]["private_key"] == first["key"]
    keys = {"ca": key} | {f"{n} {form}": x[form] for n, x in (("first", first), ("second", second)) for form in ("key", "pkcs8")}
    none_is_left(client, keys)


def none_is_left(client, keys):
    needles = {}
    for who, pem in keys.items():
        scalar = serialization.load_pem_private_key(pem.encode(), None).private_numbers().private_value
        needles |= {f"{who} {order}": scalar.to_bytes(32, order) for order in ("big", "little")} | {f"{who} pem": pem.splitlines()[1].encode()}
    assert not [who for who, n in scan(client.server.process.pid, needles).items() if n]


@pytest.mark.release_only
@pytest.mark.skipif(os.geteuid() != 0, reason="reads another process's memory: needs root")
def test_a_key_is_gone_when_the_reply_has_left(client):
    """Keys of a leaf, each in a reply of its own and all in a long one; keys of a CA's next versions, in bodies of any size, on a
    connection that stays open."""
    ca = {"name": "/left/ca", "type": "certificate", "parameters": {"common_name": "left", "is_ca": True, "key_type": "ec-p256"}}
    client.json("POST /api/v1/data", ca)
    leaf = {"name": "/left/leaf", "type": "certificate", "mode": "overwrite", "parameters": {"common_name": "left.example", "ca": "/left/ca", "key_type": "ec-p256"}}
    keys = {f"leaf {n}": client.json("POST /api/v1/data", leaf)["value"]["private_key"] for n in range(6)}
    given = client.json("GET /api/v1/data?name=/left/leaf")["data"]
    assert {v["value"]["private_key"] for v in given} == set(keys.values())
    none_is_left(client, keys)
    at = client.json("GET /api/v1/certificates?name=/left/ca")["certificates"][0]["id"]
    open_one = http.client.HTTPSConnection(*urllib.parse.urlsplit(client.server.url).netloc.split(":"),
                                           context=ssl.create_default_context(cafile=client.server.dir / "ca.pem"))
    for padding in (100000, 12000, 3000, 0):
        cert, keys[f"ca {padding}"] = own_root("left")
        body = " " * padding + json.dumps({"value": {"certificate": cert, "private_key": keys[f"ca {padding}"]}})
        open_one.request("POST", f"/api/v1/certificates/{at}/versions", body, {"Authorization": f"Bearer {client.tokens['operator']}"})
        reply = open_one.getresponse()
        assert reply.status == 200, reply.read()
        reply.read()
    none_is_left(client, keys)
    open_one.close()


def test_a_chain_of_two_goes_on_below_the_next_root(client):
    """What stands below a root gets its next version below the one that was brought; a root that leaves no room for it does not come in."""
    make = {"type": "certificate"}
    client.json("POST /api/v1/data", {"name": "/w/root", **make, "parameters": {"common_name": "root", "is_ca": True, "key_type": "ec-p256"}})
    client.json("POST /api/v1/data", {"name": "/w/sub", **make, "parameters": {"common_name": "sub", "is_ca": True, "ca": "/w/root", "key_type": "ec-p256"}})
    ids = {c["name"]: c["id"] for c in client.json("GET /api/v1/certificates")["certificates"]}
    own = lambda name, **how: dict(zip(("certificate", "private_key"), own_root(name, **how)))  # noqa: E731
    post = lambda name, value, status: client.json(f"POST /api/v1/certificates/{ids[name]}/versions", {"value": value, "transitional": True}, status)  # noqa: E731
    assert "path length" in post("/w/root", own("no room", path_length=0), 400)["error"]
    assert "ends" in post("/w/root", own("short", days=3), 400)["error"]
    assert "below that one" in post("/w/sub", own("sub"), 400)["error"]
    root = post("/w/root", own("w"), 200)
    sub = client.json(f"GET /api/v1/certificates/{ids['/w/sub']}/versions?current=true")
    assert [v["transitional"] for v in sub] == [False, True] and issued(sub[1]["value"]["certificate"], root["value"]["certificate"])


def test_login_as_the_cli_does_it(client):
    """GET /info names this server; a token from there opens the API; a password of another API does not."""
    server = client.server
    made = server.cli.json("principal", "add", "ch-person", "--role", "operator", "--facade", "credhub", "--password")
    auth = client.json("GET /info", who="nobody")["auth-server"]["url"]
    assert auth == server.url
    form = ["-d", "client_id=credhub_cli", "-d", "client_secret=", "-d", "grant_type=password", "-d", "response_type=token",
            "-d", "username=ch-person", "--data-urlencode", f"password={made['password']}"]
    status, token, _ = server.curl("POST", "/oauth/token", token=None, args=form, held=False)
    assert status == 200, token
    client.tokens["person"] = token["access_token"]
    assert client.json("GET /version", who="person") == {"version": "2.15.20"}
